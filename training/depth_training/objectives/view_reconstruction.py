# SPDX-License-Identifier: Apache-2.0
"""Objectives "photometric" and "deep_features": the right view, warped by the prediction, must look like the left one.

No truth is used. Occlusion says where this cannot hold; it is learnt from labelled batches alone, since a network that
may choose where it is judged would call everything occluded: no gradient of the reconstruction reaches it, the means
are over what is left, and `occlusion` holds its fraction of the image below what labelled data shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..core.distributed import masked_mean
from ..reconstruction import (
    DISTANCES,
    SAMPLINGS,
    edge_aware_smoothness,
    feature_reconstruction,
    photometric_error,
    warp_right_to_left,
)
from .registry import Step, objective

MASKS = ("soft", "threshold", "none")


@dataclass(frozen=True)
class ReconstructionOptions:
    """Weights and choices that both objectives share.

    smoothness: weight of the edge-aware prior; occlusion: weight of the predicted fraction of occluded pixels beyond
    most_occluded; mask: "soft" weighs a pixel by 1 - its probability of occlusion, "threshold" counts it where that
    is below `threshold`, "none" is for networks that do not predict occlusion.
    """

    reconstruction: float = 1.0
    smoothness: float = 0.01
    occlusion: float = 0.1
    most_occluded: float = 0.3
    mask: str = "soft"
    threshold: float = 0.5
    sampling: str = "bilinear"

    def __post_init__(self) -> None:
        for name, choices in (("mask", MASKS), ("sampling", tuple(SAMPLINGS))):
            if getattr(self, name) not in choices:
                raise ValueError(f"expected {name} among {list(choices)}, got '{getattr(self, name)}'; correct it")


@dataclass(frozen=True)
class PhotometricOptions(ReconstructionOptions):
    """gamma: fraction of structure, not colour; scales: how many of the finest disparity_scales are judged as well."""

    gamma: float = 0.85
    scales: int = 0


@dataclass(frozen=True)
class DeepFeaturesOptions(ReconstructionOptions):
    """distance: of feature vectors; train_features: let the features themselves learn to be alike (they may fade)."""

    distance: str = "cosine"
    train_features: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distance not in DISTANCES:
            raise ValueError(f"expected distance among {list(DISTANCES)}, got '{self.distance}'; correct it")


@objective("photometric", PhotometricOptions)
def photometric(step: Step) -> dict[str, Tensor]:
    """Structure and colour (H-Net Eq. 6) at input resolution, where coarse disparities are brought first."""
    batch, options = step.batch, step.options
    size = batch.left.shape[2:]
    visible = visible_fraction(step, size)
    finest = step.prediction["disparity_scales"][: -options.scales - 1 : -1] if options.scales else ()
    disparities = [F.interpolate(d.float(), size, mode="bilinear").clamp(min=0) for d in finest]
    errors = []
    for disparity_px in (step.prediction["disparity"], *disparities):
        view, in_view = warp_right_to_left(batch.right, disparity_px, options.sampling)
        errors.append(masked_mean(photometric_error(batch.left, view, options.gamma), visible * in_view))
    return {"photometric": options.reconstruction * torch.stack(errors).mean(), **_priors(step)}


@objective("deep_features", DeepFeaturesOptions)
def deep_features(step: Step) -> dict[str, Tensor]:
    """Distance of the network's own feature maps of both views, mean over its layers."""
    options, errors = step.options, []
    pairs = zip(step.prediction["left_features"], step.prediction["right_features"], strict=True)
    for left, right in pairs:
        if not options.train_features:
            left, right = left.detach(), right.detach()
        disparity_px = step.prediction["disparity"]
        error, in_view = feature_reconstruction(left, right, disparity_px, options.distance, options.sampling)
        errors.append(masked_mean(error, visible_fraction(step, left.shape[2:]) * in_view))
    return {"deep_features": options.reconstruction * torch.stack(errors).mean(), **_priors(step)}


def visible_fraction(step: Step, size: tuple[int, int]) -> Tensor:
    """Weight of each pixel by the predicted occlusion, float32 [B, 1, *size] in 0..1, without gradient.

    A cell of a coarser grid counts as little as its most occluded pixel: its features have seen that one too.
    """
    if step.options.mask == "none":
        return torch.ones(len(step.batch.left), 1, *size, device=step.batch.left.device)
    occluded = torch.sigmoid(step.prediction["occlusion"].detach().float())
    if occluded.shape[3] < size[1]:
        occluded = F.interpolate(occluded, size, mode="bilinear")
    occluded = F.adaptive_max_pool2d(occluded, size)
    return 1 - occluded if step.options.mask == "soft" else (occluded < step.options.threshold).float()


def _priors(step: Step) -> dict[str, Tensor]:
    """Smooth disparity, and not too much occlusion."""
    options = step.options
    smoothness = edge_aware_smoothness(step.prediction["disparity"], step.batch.left).mean()
    terms = {"smoothness": options.smoothness * smoothness}
    if options.mask != "none":
        fraction = torch.sigmoid(step.prediction["occlusion"].float()).mean()
        terms["occluded_fraction"] = options.occlusion * F.relu(fraction - options.most_occluded)
    return terms
