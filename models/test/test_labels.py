# SPDX-License-Identifier: Apache-2.0
"""The label set."""

from depth_models import LABELS


def test_ids_count_up_from_zero_and_colours_differ():
    assert [label.id for label in LABELS] == list(range(9))
    assert len({label.color for label in LABELS}) == 9


def test_things_are_vehicles_people_and_objects():
    assert [label.name for label in LABELS if label.thing] == ["vehicle", "person", "object"]
