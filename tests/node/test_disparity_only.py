# SPDX-License-Identifier: Apache-2.0
"""A network that predicts disparity alone runs in the node; what it does not predict is not published."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from depth_export.probe import probe_spec
from depth_nodes.stereo_outputs import OUTPUTS as TABLE
from depth_runtime.spec import METADATA_KEY
from stereo_messages import CX_LEFT, CX_RIGHT, scene
from stereo_rig import OUTPUTS

FROM_CONFIDENCE_OR_CLASSES = {"confidence", "panoptic/semantic", "panoptic/instance", "panoptic/image_color"}


@pytest.fixture
def disparity_file(probe_path, tmp_path) -> str:
    """The probe without its other outputs and without labels."""
    model = onnx.load(probe_path)
    others = [output for output in model.graph.output if output.name != "disparity"]
    for output in others:
        model.graph.output.remove(output)
    spec = replace(probe_spec(), outputs={"disparity": 1}, labels=())
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    onnx.save(model, tmp_path / "disparity.onnx")
    return str(tmp_path / "disparity.onnx")


def test_what_follows_from_disparity_is_published_and_nothing_else(start, disparity_file):
    # A threshold has nothing to compare with, so it hides nothing.
    parameters = {"model": disparity_file, "confidence_threshold": 0.9}
    node, rig = start(listen=tuple(set(OUTPUTS) - FROM_CONFIDENCE_OR_CLASSES), parameters=parameters)
    rig.listen(*FROM_CONFIDENCE_OR_CLASSES)
    rig.listen_latched("panoptic/labels")
    # The subscribers above were made before, and DDS tells of them in that order.
    rig.wait(lambda: rig.received["panoptic/labels"], "the labels, after which the node knows all subscribers")
    left, right = scene()
    stamp_s = rig.send_scene(left, right)
    for topic in set(OUTPUTS) - FROM_CONFIDENCE_OR_CLASSES:
        assert rig.message_of(topic, stamp_s), topic
    message = rig.message_of("disparity", stamp_s)
    disparity = np.frombuffer(bytes(message.image.data), np.float32).reshape(left.shape[:2])
    np.testing.assert_allclose(disparity, left[..., 0] / np.float32(2) - np.float32(CX_LEFT - CX_RIGHT), atol=1e-4)
    silent = {f"publish_{output.name}" for output in TABLE if output.topic in FROM_CONFIDENCE_OR_CLASSES}
    assert not silent & set(rig.stages_of(stamp_s))
    assert not any(rig.received[topic] for topic in FROM_CONFIDENCE_OR_CLASSES)
    assert json.loads(rig.received["panoptic/labels"][0].data)["labels"] == []
    assert node.alive
