# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
from depth_runtime.drawing import colour_values, overlay_classes, palette


def turbo(level):
    return cv2.applyColorMap(np.array([[level]], np.uint8), cv2.COLORMAP_TURBO)[0, 0, ::-1].tolist()


def test_values_run_from_blue_to_red_and_unknown_ones_are_black():
    values = np.array([[0, 5, 10, 20, -1, np.nan, np.inf, -np.inf]], np.float32)
    colours = colour_values(values, 10.0)[0].tolist()
    assert colours[:5] == [turbo(0), turbo(127), turbo(255), turbo(255), turbo(0)]
    assert colours[5:] == [[0, 0, 0]] * 3
    assert turbo(255)[0] > turbo(255)[2]  # red


def test_of_depths_the_small_ones_are_red():
    colours = colour_values(np.array([[0, 10, np.nan]], np.float32), 10.0, near_is_red=False)[0].tolist()
    assert colours == [turbo(255), turbo(0), [0, 0, 0]]


def test_classes_lie_over_the_image_with_rims_around_instances():
    colors = palette({3: (250, 100, 0)}, other=(60, 60, 60))
    image = np.full((9, 9, 3), 90, np.uint8)
    semantic, instance = np.full((9, 9), 3, np.uint8), np.zeros((9, 9), np.uint16)
    semantic[:, 8] = 255
    instance[3:6, 3:6] = 300
    both = overlay_classes(image, semantic, instance, colors, alpha=0.6)
    np.testing.assert_allclose(both[0, 0], [0.6 * c + 36 for c in (250, 100, 0)], atol=1)
    np.testing.assert_allclose(both[0, 8], [0.6 * 60 + 36] * 3, atol=1)
    white = (both == 255).all(2)
    assert white[2, 2:7].all()
    assert white[3, 3:6].all()
    assert not white[4, 4]
    thin = (overlay_classes(image, semantic, instance, colors, thin=True) == 255).all(2)
    assert thin[2, 2:7].all()
    assert not thin[3:6, 3:6].any()
    assert not (overlay_classes(image, semantic, None, colors) == 255).all(2).any()
