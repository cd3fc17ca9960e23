# SPDX-License-Identifier: Apache-2.0
"""What is exported follows from what a network says of itself: its task, inputs and outputs."""

from dataclasses import dataclass
from typing import ClassVar

import depth_models
import pytest
import torch
from depth_models import LABELS, Network, StereoNetwork, network_spec, published_maps
from depth_runtime.spec import MAIN_OUTPUT

TYPES = {"semantic": torch.uint8}


@dataclass(frozen=True)
class MatcherConfig:
    """Of a network without a panoptic head."""

    max_disparity_px: int = 48


class Matcher(StereoNetwork):
    """Predicts the difference of brightness as disparity, and nothing else."""

    size_multiple = 16
    outputs: ClassVar[dict[str, int]] = {"disparity": 1}

    def __init__(self) -> None:
        super().__init__()
        self.config = MatcherConfig()

    def forward(self, left, right):
        """Pair [B, 3, H, W]."""
        return {"disparity": left.mean(1, keepdim=True) - right.mean(1, keepdim=True), "pyramid": (left, right)}


@pytest.mark.parametrize("name", depth_models.names())
def test_every_network_predicts_its_outputs_at_their_strides(name):
    network = depth_models.build(name).eval()
    height, width = 2 * network.size_multiple, 3 * network.size_multiple
    with torch.no_grad():
        images = {name: torch.rand(1, 3, height, width) * 255 for name in network.inputs}
        maps = published_maps(network, network(**images), width)
    assert next(iter(maps)) == MAIN_OUTPUT[network.task]
    for output, stride in network.outputs.items():
        pair = (2,) if output == "instance_offset" else ()
        assert maps[output].shape == (1, *pair, height // stride, width // stride), output
        assert maps[output].dtype == TYPES.get(output, torch.float32), output
    spec = network_spec(network, name, "1")
    assert (spec.task, spec.inputs, spec.outputs) == (network.task, network.inputs, network.outputs)


def test_logits_are_published_as_fractions_and_classes():
    network = depth_models.build("stereo_s")
    semantic = torch.zeros(1, 9, 2, 3)
    semantic[:, 4, :, :2], semantic[:, 7, :, 2] = 5.0, 5.0
    prediction = {
        "disparity": torch.full((1, 1, 8, 12), 3.5),
        "confidence": torch.full((1, 1, 4, 6), 2.0),
        "semantic": semantic,
        "instance_center": torch.full((1, 1, 2, 3), -1.0),
        "instance_offset": torch.full((1, 2, 2, 3), 1.5),
        "occlusion": torch.zeros(1),
    }
    maps = published_maps(network, prediction, 12)
    assert list(maps) == ["disparity", "confidence", "semantic", "instance_center", "instance_offset"]
    assert maps["disparity"].unique().tolist() == [3.5]
    assert maps["confidence"].unique().item() == pytest.approx(0.8808, abs=1e-4)
    assert maps["instance_center"].unique().item() == pytest.approx(0.2689, abs=1e-4)
    # Logits at 1/4 become classes at 1/2: the border between cells 1 and 2 falls between columns 3 and 4.
    assert maps["semantic"][0, 0].tolist() == [4, 4, 4, 4, 7, 7]
    full = prediction | {
        "semantic": torch.nn.functional.one_hot(torch.full((1, 4, 6), 6), 9).permute(0, 3, 1, 2).float()
    }
    assert published_maps(network, full, 12)["semantic"].tolist() == [[[6] * 6] * 4]


def test_a_network_without_classes_has_no_labels():
    spec = network_spec(Matcher(), "matcher", "2", {"steps": 3}, {"epe": 1.5})
    assert (spec.outputs, spec.labels, spec.max_disparity, spec.size_multiple) == ({"disparity": 1}, (), 48.0, 16)
    assert (spec.training, spec.metrics) == ({"steps": 3}, {"epe": 1.5})
    assert network_spec(depth_models.build("stereo_s"), "s", "1").labels == LABELS


class Distances(Network):
    """A network of another task: brightness as depth, for a focal length of 500 px."""

    size_multiple = 16
    task = "mono"
    inputs = ("image",)
    outputs: ClassVar[dict[str, int]] = {"depth": 1, "confidence": 2}

    def spec_fields(self):
        return {"canonical_focal_px": 500.0}

    def forward(self, image):
        """View [B, 3, H, W]."""
        depth = image.mean(1, keepdim=True)
        return {"depth": depth, "confidence": torch.zeros_like(depth[..., ::2, ::2])}


def test_a_network_of_one_image_is_described_and_published_like_any_other():
    network = Distances()
    spec = network_spec(network, "distances", "1")
    assert (spec.task, spec.inputs, spec.canonical_focal_px, spec.max_disparity) == ("mono", ("image",), 500.0, None)
    maps = published_maps(network, network(image=torch.full((1, 3, 16, 32), 7.0)), 32)
    assert {name: (tuple(value.shape), value.unique().item()) for name, value in maps.items()} == {
        "depth": ((1, 16, 32), 7.0),
        "confidence": ((1, 8, 16), 0.5),
    }


def test_encoder_weights_are_refused_where_there_is_no_encoder():
    assert Matcher().encoder is None
    with pytest.raises(ValueError, match=r"takes encoder weights, got Matcher for weights\.pth"):
        Matcher().load_backbone("weights.pth")
