# SPDX-License-Identifier: Apache-2.0
"""Engines on a real GPU predict like ONNX Runtime on the CPU, frame after frame, at changing sizes."""

import numpy as np
import pytest
from depth_runtime.backends import available_backends, make_backend
from depth_runtime.bench import texture
from depth_runtime.zoo import resolve_model

REASONS = {name: reason for name, reason in available_backends().items() if name.startswith("tensorrt")}
SHIFT_PX = 9


def write_pair(buffers: dict[str, np.ndarray], shift_px: int) -> None:
    """A random texture seen shift_px apart, into a backend's input buffers."""
    _, height, width, _ = buffers["left"].shape
    wide = texture(height, width + shift_px)
    buffers["left"][0], buffers["right"][0] = wide[:, :width], wide[:, shift_px:]


@pytest.mark.gpu
@pytest.mark.parametrize(
    "flavour",
    [pytest.param(n, marks=pytest.mark.skipif(bool(reason), reason=reason)) for n, reason in REASONS.items()],
)
def test_an_engine_predicts_like_onnxruntime(flavour, tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    engine = make_backend(resolve_model("stereo_s"), flavour, engine_cache_dir=tmp_path)
    reference = make_backend(resolve_model("stereo_s"), "onnxruntime-cpu")
    assert engine.name == flavour
    # The second frame of a size runs as a CUDA graph; it must see its own images, not those of the capture.
    for size, shift_px in (((192, 320), SHIFT_PX), ((192, 320), 2 * SHIFT_PX), ((128, 256), SHIFT_PX)):
        predictions = []
        for backend in (engine, reference):
            if shift_px == SHIFT_PX:
                backend.buffers = backend.prepare(size)
            write_pair(backend.buffers, shift_px)
            predictions.append({k: v.copy() for k, v in backend.infer(backend.spec.outputs).items()})
        ours, theirs = predictions
        assert np.median(np.abs(ours["disparity"] - theirs["disparity"])) < 0.02
        assert np.median(ours["disparity"][..., 2 * SHIFT_PX :]) == pytest.approx(shift_px, abs=0.3)
        assert (ours["semantic"] == theirs["semantic"]).mean() > 0.99
        for name, array in ours.items():
            assert (array.shape, array.dtype) == (theirs[name].shape, theirs[name].dtype)
