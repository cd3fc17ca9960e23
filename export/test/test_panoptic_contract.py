# SPDX-License-Identifier: Apache-2.0
"""What a panoptic head says in torch is what the runtime groups from the exported file."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from depth_export.contract import Contract
from depth_export.export import export_contract
from depth_models import LABELS, StereoNetwork, network_spec
from depth_runtime.backends import make_backend
from depth_runtime.pipeline import StereoPipeline
from torch.nn.functional import avg_pool2d, one_hot

HEIGHT, WIDTH, STRIDE = 64, 96, 4
VEHICLE = next(label.id for label in LABELS if label.name == "vehicle")
ROAD = next(label.id for label in LABELS if label.name == "road")


@dataclass(frozen=True)
class PaintedConfig:
    """Range of the network."""

    max_disparity_px: int = 64


class Painted(StereoNetwork):
    """Predicts what is painted: left (class, heat of a centre, -), right (dx + 128, dy + 128 in cells, disparity)."""

    size_multiple = 32
    outputs: ClassVar[dict[str, int]] = {
        "disparity": 1,
        "semantic": 1,
        "instance_center": STRIDE,
        "instance_offset": STRIDE,
    }

    def __init__(self) -> None:
        super().__init__()
        self.config = PaintedConfig()

    def forward(self, left, right):
        """Pair [B, 3, H, W]; every cell of STRIDE pixels is of one colour."""
        cells, offset = avg_pool2d(left, STRIDE), avg_pool2d(right, STRIDE)[:, :2] - 128
        return {
            "disparity": right[:, 2:],
            "semantic": one_hot(left[:, 0].long(), len(LABELS)).permute(0, 3, 1, 2).float(),
            "instance_center": cells[:, 1:2] / 16 - 8,
            "instance_offset": offset,
        }


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    path = tmp_path_factory.mktemp("painted") / "painted.onnx"
    network = Painted().eval()
    with pytest.MonkeyPatch.context() as patch:  # the gate's pairs show no classes
        patch.setattr("depth_export.export.check_parity", lambda *_: {})
        export_contract(Contract(network), network_spec(network, "painted", "1", default_size=(HEIGHT, WIDTH)), path)
    return StereoPipeline(make_backend(path, "onnxruntime-cpu", threads=1))


def paint(centres: list[tuple[int, int]], owner: np.ndarray) -> dict[str, np.ndarray]:
    """Images of a network Painted; centres: (x, y) in cells; owner [h, w]: number of each cell's centre, -1 = road."""
    y, x = np.indices(owner.shape)
    left, right = np.zeros((2, *owner.shape, 3), np.uint8)
    left[..., 0] = np.where(owner < 0, ROAD, VEHICLE)
    for number, (centre_x, centre_y) in enumerate(centres):
        left[centre_y, centre_x, 1] = 255 - number  # a little less each, so that they come in this order
        own = owner == number
        right[own, 0], right[own, 1] = (centre_x - x + 128)[own], (centre_y - y + 128)[own]
    return {name: image.repeat(STRIDE, 0).repeat(STRIDE, 1) for name, image in (("left", left), ("right", right))}


@pytest.mark.parametrize("axis", [0, 1], ids=["above one another", "side by side"])
def test_two_objects_that_touch_keep_their_own_pixels(pipeline, axis):
    y, x = np.indices((HEIGHT // STRIDE, WIDTH // STRIDE))
    border = (8, 12)[axis]
    owner = ((y, x)[axis] >= border).astype(int)
    owner[:, :2] = -1
    centres = [[(12, 3), (12, 12)], [(6, 8), (18, 8)]][axis]
    result = pipeline.process(paint(centres, owner), {"instance"})
    expected = (owner + 1).repeat(STRIDE, 0).repeat(STRIDE, 1)
    np.testing.assert_array_equal(result.panoptic.instance, expected)
    np.testing.assert_array_equal(result.panoptic.semantic, np.where(expected > 0, VEHICLE, ROAD))
