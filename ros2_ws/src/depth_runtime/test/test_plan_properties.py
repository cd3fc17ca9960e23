# SPDX-License-Identifier: Apache-2.0
"""What holds for every ImagePlan, whatever the sizes."""

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from depth_runtime.plan import make_plan
from hypothesis import given
from hypothesis import strategies as st

MULTIPLES = st.sampled_from([1, 8, 32, 64])
OUTPUTS = st.sampled_from(["source", "network"])


def sizes(largest):
    return st.tuples(st.integers(1, largest), st.integers(1, largest))


@st.composite
def plans(draw, largest=3000, cells=40):
    """A plan with its multiple, and whether a network size was asked for."""
    multiple = draw(MULTIPLES)
    side = st.integers(1, cells).map(lambda n: n * multiple)
    network = draw(st.none() | st.tuples(side, side))
    return make_plan(draw(sizes(largest)), multiple, network, draw(OUTPUTS)), multiple, network


@given(plans())
def test_the_network_size_is_a_multiple_and_holds_the_content(case):
    plan, multiple, network = case
    assert all(side % multiple == 0 for side in plan.network)
    assert all(1 <= content <= side for content, side in zip(plan.content, plan.network, strict=True))
    if network is None:
        assert plan.content == plan.source
        assert all(side - content < multiple for content, side in zip(plan.content, plan.network, strict=True))
    else:
        assert plan.network == network


@given(plans())
def test_a_given_network_size_is_filled_on_one_axis_and_evenly(case):
    plan, _, network = case
    if network is None:
        return
    scale = min(network[0] / plan.source[0], network[1] / plan.source[1])
    assert any(content == side for content, side in zip(plan.content, network, strict=True))
    for content, source in zip(plan.content, plan.source, strict=True):
        assert content == 1 or abs(content - source * scale) <= 0.5 + 1e-9


@given(plans())
def test_published_pixels_are_those_of_the_camera_or_of_the_content(case):
    plan, _, _ = case
    assert plan.target in (plan.source, plan.content)
    for axis in (0, 1):
        assert plan.scale_out[1 - axis] * plan.source[axis] == pytest.approx(plan.target[axis])
        assert plan.scale_in[1 - axis] * plan.source[axis] == pytest.approx(plan.content[axis])


@given(plans(largest=90, cells=4), st.floats(0.125, 192, width=32))
def test_a_constant_disparity_scales_with_the_published_width(case, disparity_px):
    plan, _, _ = case
    published = plan.undo_disparity(np.full(plan.network, disparity_px, np.float32))
    assert published.shape == plan.target
    np.testing.assert_allclose(published, disparity_px * plan.target[1] / plan.content[1], rtol=1e-5)


@given(plans(largest=90, cells=4))
def test_every_network_pixel_goes_back_to_where_it_came_from(case):
    """A map of source coordinates at network pixels comes back as the coordinates of the source pixels."""
    plan, _, _ = case
    for axis in (0, 1):
        scale = plan.content[axis] / plan.source[axis]
        there = (np.arange(plan.network[axis]) + 0.5) / scale - 0.5
        values = np.moveaxis(np.broadcast_to(there, plan.network[::-1] if axis == 0 else plan.network), -1, axis)
        back = plan.undo(np.ascontiguousarray(values, np.float32))
        wanted = (np.arange(plan.target[axis]) + 0.5) * plan.source[axis] / plan.target[axis] - 0.5
        inside = (wanted >= there[0]) & (wanted <= there[plan.content[axis] - 1])
        line = np.moveaxis(back, axis, -1)
        np.testing.assert_allclose(line[:, inside], np.broadcast_to(wanted, line.shape)[:, inside], atol=0.02)


@given(sizes(70), MULTIPLES)
def test_without_a_resize_every_pixel_returns_and_padding_mirrors_to_the_right_and_repeats_below(size, multiple):
    plan = make_plan(size, multiple)
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    out = plan.apply(image, np.zeros((*plan.network, 3), np.uint8))
    below, right = ((0, whole - side) for whole, side in zip(plan.network, size, strict=True))
    wide = np.pad(image, [(0, 0), right, (0, 0)], mode="reflect")
    np.testing.assert_array_equal(out, np.pad(wide, [below, (0, 0), (0, 0)], mode="edge"))
    np.testing.assert_array_equal(plan.undo(out[..., 0], nearest=True), image[..., 0])
