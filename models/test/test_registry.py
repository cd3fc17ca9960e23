# SPDX-License-Identifier: Apache-2.0
"""The registry knows its networks and says so."""

import depth_models
import pytest


def test_the_default_network_is_registered():
    assert "stereo_s" in depth_models.names()


def test_a_miss_lists_what_exists():
    with pytest.raises(ValueError, match=r"among \[.*'stereo_s'.*\], got 'stereo_xxl'"):
        depth_models.build("stereo_xxl")


def test_an_unknown_config_field_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'levels'.*got \['level'\]"):
        depth_models.build("stereo_s", level=12)


def test_overrides_reach_the_config():
    assert depth_models.build("stereo_s", levels=24).config.max_disparity_px == 96


def test_a_name_cannot_be_taken_twice():
    with pytest.raises(ValueError, match="second time"):
        depth_models.register("stereo_s")(lambda: None)
