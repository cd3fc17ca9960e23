# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
from depth_runtime.tables import json_text, markdown_table, number, plain_table


def test_plain_columns_are_as_wide_as_their_longest_cell():
    text = plain_table(("figure", "value"), [("epe", "0.5 px"), ("a longer name", "1")])
    assert text.splitlines() == [
        "figure          value",
        "-------------  ------",
        "epe            0.5 px",
        "a longer name       1",
    ]


def test_markdown_sets_numbers_to_the_right():
    text = markdown_table(("model", "device", "ms"), [("a", "cpu", "1.50")], text_columns=(0, 1))
    assert text.splitlines() == ["| model | device | ms |", "| --- | --- | --: |", "| a | cpu | 1.50 |"]


def test_json_has_null_for_what_is_no_number():
    value = {"a": [float("nan"), np.inf, 1.5, (2, "x")], "b": np.float64("nan")}
    assert json.loads(json_text(value)) == {"a": [None, None, 1.5, [2, "x"]], "b": None}
    assert json_text({}).endswith("}\n")


def test_a_number_that_is_none_leaves_its_cell_empty():
    assert (number(1.256, 2), number(float("nan"), 2)) == ("1.26", "")
