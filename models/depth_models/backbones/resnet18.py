# SPDX-License-Identifier: Apache-2.0
"""ResNet-18 encoder (He et al., CVPR 2016) up to stride 32, in any width."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..blocks import ConvBlock


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvBlock(inputs, outputs, 3, stride, activation=False)
        self.second = ConvBlock(outputs, outputs, 3, activation=False)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else ConvBlock(inputs, outputs, 1, stride, activation=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H / stride, W / stride]."""
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class ResNet18(nn.Module):
    """Five stages, fine to coarse: 64, 64, 128, 256, 512 channels (times width) at 1/2, 1/4, 1/8, 1/16, 1/32.

    images: how many RGB images its input holds, one after another along the channels.
    """

    CHANNELS = (64, 64, 128, 256, 512)

    def __init__(self, width: float = 1.0, images: int = 1) -> None:
        super().__init__()
        if not width > 0:
            raise ValueError(f"expected a width above 0, got {width}; 1.0 is ResNet-18")
        self.channels = tuple(max(8, 8 * round(c * width / 8)) for c in self.CHANNELS)
        self.images = images
        c2, c4, *deeper = self.channels
        self.stem = nn.Sequential(ConvBlock(3 * images, c2, 7, 2, activation=False), nn.ReLU())
        self.layers = nn.ModuleList([nn.Sequential(BasicBlock(c2, c4, 1), BasicBlock(c4, c4, 1))])
        for inputs, outputs in zip((c4, *deeper), deeper, strict=False):
            self.layers.append(nn.Sequential(BasicBlock(inputs, outputs, 2), BasicBlock(outputs, outputs, 1)))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """RGB images [B, 3 * images, H, W] in 0..255 -> five feature maps, fine to coarse."""
        maps = [self.stage(0, image)]
        for index in range(1, len(self.channels)):
            maps.append(self.stage(index, maps[-1]))
        return tuple(maps)

    def stage(self, index: int, x: Tensor) -> Tensor:
        """One of the five stages alone, for networks that change the features in between; 0 takes the images."""
        if index == 0:
            return self.stem(normalise(x))
        return self.layers[index - 1](F.max_pool2d(x, 3, 2, 1) if index == 1 else x)

    def load_imagenet(self, path: str | Path) -> None:
        """Copy torchvision's ImageNet checkpoint (resnet18-*.pth); its classifier is left over.

        With several images each one gets the first kernel, divided by their number, as in Monodepth2. Raises ValueError
        when a tensor is missing or its shape differs.
        """
        source = torch.load(path, map_location="cpu", weights_only=True)
        own = self.state_dict()
        for name, value in own.items():
            if name.endswith("num_batches_tracked"):  # older checkpoints lack it, and nothing depends on it
                continue
            other = source.get(_torchvision_name(name))
            if other is not None and name == "stem.0.0.weight":
                other = other.repeat(1, self.images, 1, 1) / self.images
            if other is None or other.shape != value.shape:
                got = "nothing" if other is None else str(tuple(other.shape))
                raise ValueError(
                    f"expected {tuple(value.shape)} for {_torchvision_name(name)} in {path}, got {got}; give "
                    "torchvision's ResNet-18 checkpoint and width 1.0"
                )
            own[name] = other
        self.load_state_dict(own)


def _torchvision_name(name: str) -> str:
    """layers.1.0.second.1.bias -> layer2.0.bn2.bias, stem.0.0.weight -> conv1.weight."""
    parts = name.split(".")
    if parts[0] == "stem":
        return f"{'conv1' if parts[2] == '0' else 'bn1'}.{parts[3]}"
    _, layer, block, part, place, tensor = parts
    if part == "shortcut":
        return f"layer{int(layer) + 1}.{block}.downsample.{place}.{tensor}"
    return f"layer{int(layer) + 1}.{block}.{'conv' if place == '0' else 'bn'}{1 if part == 'first' else 2}.{tensor}"


def normalise(image: Tensor) -> Tensor:
    """RGB 0..255 to zero mean and unit variance of ImageNet, as torchvision's weights expect. [B, 3 * n, H, W]."""
    repeats = image.shape[1] // 3
    mean, scale = (
        torch.tensor(values * repeats, device=image.device, dtype=image.dtype).view(1, -1, 1, 1)
        for values in ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
    )
    return (image - mean) / scale
