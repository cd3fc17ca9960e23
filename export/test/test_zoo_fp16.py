# SPDX-License-Identifier: Apache-2.0
"""The shipped FP16 network is the shipped FP32 one in half precision, and sees what that sees."""

import numpy as np
import onnx
import pytest
from depth_export.half import halve
from depth_export.matched_pair import matched_pair
from depth_runtime.backends import make_backend
from depth_runtime.metrics import disparity_errors
from depth_runtime.onnx_file import read_spec, sha256
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

SOURCES = ("stereo_s", "stereo_xs")


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_what_the_exporter_makes_of_the_shipped_fp32_file(source):
    path, source = resolve_model(f"{source}_fp16"), resolve_model(source)
    spec, wanted = read_spec(path), read_spec(source)
    assert spec.training["source_sha256"] == sha256(source)
    assert (spec.name, spec.outputs, spec.metrics) == (wanted.name, wanted.outputs, wanted.metrics)
    assert onnx.load(path).graph == halve(source.read_bytes()).graph


@pytest.mark.parametrize("source", SOURCES)
def test_disparity_and_classes_are_those_of_the_fp32_file(source):
    pair = matched_pair(256, 416, seed=4)
    fp16, fp32 = (
        StereoPipeline(make_backend(resolve_model(name), "onnxruntime-cpu", threads=2)).process(pair.images())
        for name in (f"{source}_fp16", source)
    )
    visible = np.arange(416) - pair.disparity_px > 0
    epe = [disparity_errors(result.disparity_px, pair.disparity_px, visible)["epe"] for result in (fp16, fp32)]
    assert abs(epe[0] - epe[1]) < 0.01
    assert np.median(np.abs(fp16.disparity_px - fp32.disparity_px)) < 0.01
    assert (fp16.panoptic.semantic == fp32.panoptic.semantic).mean() > 0.98
