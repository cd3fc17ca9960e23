# SPDX-License-Identifier: Apache-2.0
"""The shipped INT8 network computes in INT8, says from what it was made, and sees what its source sees."""

import hashlib

import numpy as np
import onnx
import pytest
from depth_export.matched_pair import matched_pair
from depth_runtime.backends import make_backend
from depth_runtime.metrics import disparity_errors
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

pytestmark = pytest.mark.parametrize("source", ["stereo_s", "stereo_xs"])


def test_it_was_made_from_the_shipped_fp32_file_within_the_gate(source):
    path, source = resolve_model(f"{source}_int8"), resolve_model(source)
    metadata = read_spec(path).training["quantisation"]
    assert metadata["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert metadata["epe_loss_percent"] <= 5
    assert metadata["semantic_changed_percent"] <= 1
    assert read_spec(path).outputs == read_spec(source).outputs
    assert path.stat().st_size < 5e6


def test_nearly_all_convolutions_compute_in_int8(source):
    graph = onnx.load(resolve_model(f"{source}_int8")).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    inputs = [makers.get(node.input[0]) for node in graph.node if node.op_type == "Conv"]
    assert inputs.count("DequantizeLinear") >= 0.9 * len(inputs)


def test_disparity_is_that_of_the_fp32_file(source):
    pair = matched_pair(256, 416, seed=4)
    int8, fp32 = (
        StereoPipeline(make_backend(resolve_model(name), "onnxruntime-cpu", threads=2)).process(pair.images())
        for name in (f"{source}_int8", source)
    )
    visible = np.arange(416) - pair.disparity_px > 0
    epe = [disparity_errors(result.disparity_px, pair.disparity_px, visible)["epe"] for result in (int8, fp32)]
    assert epe[0] < 1.05 * epe[1] + 0.05
    assert np.median(np.abs(int8.disparity_px - fp32.disparity_px)) < 0.1


def test_centres_keep_their_fine_steps(source):
    """In eight bits centre logits share the range of the offsets: two dozen values, plateaus instead of peaks."""
    pair = matched_pair(256, 448, seed=4)
    backend = make_backend(resolve_model(f"{source}_int8"), "onnxruntime-cpu", threads=2)
    inputs = backend.prepare((256, 448))
    inputs["left"][0], inputs["right"][0] = pair.left, pair.right
    assert len(np.unique(backend.infer({"instance_center"})["instance_center"])) > 1000
