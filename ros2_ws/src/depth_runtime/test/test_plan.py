# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from depth_runtime.plan import make_plan, parse_size


def test_source_size_is_padded_up_to_the_multiple():
    plan = make_plan((375, 1242), 32)
    assert plan.network == (384, 1248)
    assert plan.content == plan.target == (375, 1242)
    assert plan.disparity_scale == 1


def test_a_given_network_size_is_filled_evenly_and_undone_to_the_source():
    plan = make_plan((720, 1280), 32, (384, 640))
    assert plan.content == (360, 640)
    assert plan.scale_in == (0.5, 0.5)
    assert plan.target == (720, 1280)
    assert plan.disparity_scale == 2
    assert plan.scale_out == (1, 1)


def test_network_output_keeps_the_content_size():
    plan = make_plan((720, 1280), 32, (384, 640), "network")
    assert plan.target == (360, 640)
    assert plan.disparity_scale == 1
    assert plan.scale_out == (0.5, 0.5)


def test_padding_mirrors_the_image_at_the_right_and_repeats_the_edge_at_the_bottom():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (50, 70, 3), np.uint8)
    plan = make_plan((50, 70), 32)
    out = plan.apply(image, np.zeros((64, 96, 3), np.uint8))
    np.testing.assert_array_equal(out[:50, :70], image)
    np.testing.assert_array_equal(out[:50, 70:], image[:, 68 : 68 - 26 : -1])
    np.testing.assert_array_equal(out[50:], np.repeat(out[49:50], 14, 0))


@pytest.mark.parametrize("network", [None, (96, 160), (32, 64)])
def test_undo_of_apply_has_the_source_size_and_nearly_its_content(network):
    y, x = np.mgrid[0:50, 0:70].astype(np.float32)
    image = np.repeat((x + 2 * y)[..., None], 3, 2).astype(np.uint8)
    plan = make_plan((50, 70), 32, network)
    out = plan.apply(image, np.zeros((*plan.network, 3), np.uint8))
    back = plan.undo(out[..., 0].astype(np.float32))
    assert back.shape == (50, 70)
    assert np.abs(back - image[..., 0])[3:-3, 3:-3].max() < 2


def test_undo_without_resize_is_a_view():
    plan = make_plan((375, 1242), 32)
    values = np.zeros(plan.network, np.float32)
    assert np.shares_memory(plan.undo(values), values)


def test_undo_of_a_strided_output_lands_on_the_same_pixels():
    """A quarter-size map of x coordinates must come back as x coordinates."""
    plan = make_plan((60, 120), 32)
    x = (np.arange(128 // 4, dtype=np.float32) + 0.5) * 4 - 0.5
    back = plan.undo(np.tile(x, (64 // 4, 1)))
    np.testing.assert_allclose(back[:, 4:-4], np.tile(np.arange(4, 116), (60, 1)), atol=0.01)


def test_class_ids_are_never_mixed():
    plan = make_plan((50, 70), 32, (96, 160))
    ids = np.random.default_rng(1).choice(np.array([3, 200], np.uint8), plan.network)
    assert set(np.unique(plan.undo(ids, nearest=True))) == {3, 200}


def test_disparity_doubles_when_the_width_doubles():
    plan = make_plan((200, 400), 32, (96, 192))
    disparity = np.full(plan.network, 10, np.float32)
    np.testing.assert_allclose(plan.undo_disparity(disparity), 10 * 400 / 192, rtol=1e-6)


def test_wrong_image_size_is_refused():
    plan = make_plan((50, 70), 32)
    with pytest.raises(ValueError, match="expected an image of size"):
        plan.apply(np.zeros((70, 50, 3), np.uint8), np.zeros((64, 96, 3), np.uint8))


def test_network_size_off_the_multiple_is_refused():
    with pytest.raises(ValueError, match=r"multiples of 32, got 650x384"):
        make_plan((720, 1280), 32, (384, 650))


@pytest.mark.parametrize(
    ("text", "size"), [("source", None), ("default", (384, 640)), ("1280x736", (736, 1280)), ("64X32", (32, 64))]
)
def test_sizes_are_read_as_width_x_height(text, size):
    assert parse_size(text, (384, 640)) == size


@pytest.mark.parametrize("text", ["", "640", "640x", "x384", "640x-3", "0x384", "big"])
def test_other_sizes_are_refused(text):
    with pytest.raises(ValueError, match="expected network_size"):
        parse_size(text, (384, 640))


# The middle pixel of each 3 x 3 cell: what bilinear interpolation at a third of the size sees, and a ninth of the mean.
MIDDLES = np.zeros((60, 120), np.uint8)
MIDDLES[1::3, 1::3] = 225


def step(columns):
    """A row with a step in its middle."""
    return np.repeat(np.array([10, 210], np.uint8), columns // 2)


def doubled_step(columns):
    """Row `step(columns)` at twice its width: a quarter and three quarters of the way, and nothing beyond the step."""
    return np.concatenate((np.full(columns - 1, 10), [60, 160], np.full(columns - 1, 210)))


def in_colour(values):
    return np.repeat(values[..., None], 3, 2)


def test_an_image_is_shrunk_to_the_mean_of_the_pixels_that_a_new_one_covers():
    plan = make_plan((60, 120), 20, (20, 40))
    out = plan.apply(in_colour(MIDDLES), np.zeros((20, 40, 3), np.uint8))
    np.testing.assert_array_equal(out, np.full((20, 40, 3), 225 // 9))


def test_an_image_is_enlarged_bilinearly():
    plan = make_plan((20, 40), 40, (40, 80))
    out = plan.apply(in_colour(np.tile(step(40), (20, 1))), np.zeros((40, 80, 3), np.uint8))
    np.testing.assert_array_equal(out, in_colour(np.tile(doubled_step(40), (40, 1))))


ENLARGED = {
    "a head at half the network's size": (make_plan((40, 80), 40, (40, 80)), 40),
    "a camera of twice the network's size": (make_plan((80, 160), 40, (40, 80)), 80),
}


@pytest.mark.parametrize(("plan", "columns"), ENLARGED.values(), ids=ENLARGED)
def test_values_are_enlarged_bilinearly(plan, columns):
    values = np.tile(step(columns).astype(np.float32), (columns // 2, 1))
    np.testing.assert_allclose(plan.undo(values), np.tile(doubled_step(columns), (columns, 1)), rtol=1e-6)


def test_values_are_shrunk_to_those_at_the_middle_of_a_new_pixel():
    """A mean of disparities across a depth edge would be a surface that is not there."""
    plan = make_plan((20, 40), 20, (60, 120))
    np.testing.assert_array_equal(plan.undo(MIDDLES.astype(np.float32)), np.full((20, 40), 225))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ids_are_repeated_when_they_are_enlarged(dtype):
    ids = np.random.default_rng(2).integers(0, 200, (20, 40)).astype(dtype)
    for plan, times in ((make_plan((40, 80), 40), 2), (make_plan((80, 160), 20, (20, 40)), 4)):
        np.testing.assert_array_equal(plan.undo(ids, nearest=True), ids.repeat(times, 0).repeat(times, 1))
