# SPDX-License-Identifier: Apache-2.0
"""Every kind of shipped network in the running node predicts what it predicts when it is run directly."""

import cv2
import numpy as np
import onnxruntime
import pytest
from depth_runtime.zoo import resolve_model
from stereo_messages import make_image, make_info

SHIFT_PX = 12
NETWORKS = ["stereo_s", "stereo_xs", "usam_net", "hnet", "dispnet_semisup"]


@pytest.fixture(scope="module")
def pair():
    """A random texture over a plane 12 px away, 384 x 640; cx differs by 2 px between the cameras."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (96, 180, 3), np.uint8)
    wide = cv2.resize(coarse, (720, 384), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(wide[:, :640]), np.ascontiguousarray(wide[:, SHIFT_PX : 640 + SHIFT_PX])


def infer_directly(model, left, right, *names):
    session = onnxruntime.InferenceSession(str(resolve_model(model)), providers=["CPUExecutionProvider"])
    return session.run(names, {"left": left[None], "right": right[None]})


def send(rig, left, right):
    stamp_s = rig.next_stamp()
    rig.send(
        make_image(left, stamp_s=stamp_s),
        make_image(right, stamp_s=stamp_s),
        make_info("left", (384, 640), stamp_s, fx=500.0, fy=480.0, cx=322.0),
        make_info("right", (384, 640), stamp_s, fx=500.0, fy=480.0, cx=320.0, tx=-60.0),
    )
    return stamp_s


@pytest.mark.parametrize("model", NETWORKS)
def test_published_disparity_equals_direct_inference(start, pair, model):
    left, right = pair
    (expected,) = infer_directly(model, left, right, "disparity")
    _, rig = start(parameters={"model": model})
    message = rig.message_of("disparity", send(rig, left, right))
    disparity = np.frombuffer(bytes(message.image.data), np.float32).reshape(384, 640)
    assert np.abs(disparity - (expected[0] - 2.0)).max() < 0.001
    assert (message.f, message.t) == (500.0, pytest.approx(0.12))
