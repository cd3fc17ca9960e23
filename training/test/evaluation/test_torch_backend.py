# SPDX-License-Identifier: Apache-2.0
"""A torch network in the runtime's pipeline predicts what its exported file does, and no more than it can."""

from pathlib import Path

import depth_models
import numpy as np
import pytest
import tiny_network
import torch
from depth_runtime.backends import make_backend
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model
from depth_training.evaluation.torch_backend import TorchBackend, load_network

WEIGHTS = Path(__file__).parents[2] / "weights" / "stereo_s.pt"


def images(height: int = 100, width: int = 150) -> dict[str, np.ndarray]:
    wide = np.random.default_rng(0).integers(0, 256, (height, width + 9, 3), dtype=np.uint8)
    return {"left": wide[:, :width], "right": wide[:, 9:]}


def test_all_maps_of_the_shipped_weights_are_those_of_the_shipped_file():
    backends = TorchBackend(*load_network(WEIGHTS)), make_backend(resolve_model("stereo_s"), "onnxruntime-cpu", 1)
    ours, file = (StereoPipeline(backend).process(images()) for backend in backends)
    np.testing.assert_allclose(ours.disparity_px, file.disparity_px, atol=0.05)
    np.testing.assert_allclose(ours.confidence, file.confidence, atol=0.01)
    assert (ours.panoptic.semantic != file.panoptic.semantic).mean() < 0.002
    assert (ours.panoptic.instance != file.panoptic.instance).mean() < 0.01
    assert len(np.unique(file.panoptic.semantic)) > 1


def test_a_network_of_disparity_alone_runs_in_the_pipeline():
    torch.manual_seed(0)
    network = tiny_network.build_tiny()
    pipeline = StereoPipeline(TorchBackend(network, "tiny"))
    pipeline.confidence_threshold = 0.7  # of a confidence that there is not
    result = pipeline.process(images())
    assert pipeline.available({"confidence", "semantic", "instance"}) == set()
    assert (result.confidence, result.panoptic, result.valid_ratio) == (None, None, 1.0)
    assert result.disparity_px.shape == (100, 150)
    with torch.no_grad():
        pair = [torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() for image in images().values()]
        wide = [torch.nn.functional.pad(image, (0, 2, 0, 0), mode="reflect") for image in pair]
        padded = [torch.nn.functional.pad(image, (0, 0, 0, 4), mode="replicate") for image in wide]
        expected = network.eval()(*padded)["disparity"][0, 0, :60, :100].clamp(max=32).numpy()
    np.testing.assert_allclose(result.disparity_px[:60, :100], expected, atol=1e-4)


def test_a_network_is_fed_by_the_names_of_its_inputs():
    network = depth_models.build("usam_net", regions="given", width=0.125, max_disparity_px=64)
    backend = TorchBackend(network, "usam_net")
    for number, image in enumerate(backend.prepare((32, 64)).values()):
        image[:] = 60 * number
    prediction = backend.infer({"disparity"})["disparity"]
    left, right, regions = (torch.full((1, 3, 32, 64), 60.0 * number) for number in range(3))
    with torch.no_grad():
        expected = network(left=left, right=right, regions=regions)["disparity"][:, 0].numpy()
    np.testing.assert_allclose(prediction, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"got 'usam_net' .*; nothing here gives 'regions' .*: choose another network"):
        StereoPipeline(backend)
