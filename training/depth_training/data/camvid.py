# SPDX-License-Identifier: Apache-2.0
"""CamVid: driving frames with classes. Source: Brostow et al., Pattern Recognition Letters 2009."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from depth_runtime.files.images import image_named, images_in, read_integers, read_rgb

from .label_maps import CAMVID, by_id
from .registry import register
from .sample import Sample

_ENDING = "_semantic"


@register("camvid")
class CamVid:
    """12-class edition: root/SPLIT/ with NAME.png and NAME_semantic.png, or root/SPLIT/ and root/SPLITannot/."""

    def __init__(self, root: Path, split: str = "train") -> None:
        self._images, annotations = root / split, root / f"{split}annot"
        folder, ending = (annotations, "") if annotations.is_dir() else (self._images, _ENDING)
        self._labels = images_in(folder, ending)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> Sample:
        path = self._labels[index]
        name = path.stem.removesuffix(_ENDING)
        semantic = by_id(read_integers(path, np.uint8), CAMVID)
        return Sample(left=read_rgb(image_named(self._images / name)), semantic=semantic, name=name)
