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


def test_padding_repeats_the_edge_at_the_right_and_the_bottom():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (50, 70, 3), np.uint8)
    plan = make_plan((50, 70), 32)
    out = plan.apply(image, np.zeros((64, 96, 3), np.uint8))
    np.testing.assert_array_equal(out[:50, :70], image)
    np.testing.assert_array_equal(out[:50, 70:], np.repeat(image[:, -1:], 26, 1))
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
