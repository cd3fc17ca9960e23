# SPDX-License-Identifier: Apache-2.0
"""A look at data before a run, since a loss without any truth is 0 and never complains."""

from __future__ import annotations

import numpy as np
import torch

from ..batches.dataset_source import collate_samples
from ..data import Dataset, Sample
from ..objectives import Objective

LOOKS = 8  # samples of a data set that are read at most, spread over it


def sample_with_truth(section: str, dataset: Dataset, objective: Objective) -> Sample:
    """The first of LOOKS samples that holds truth which the objective learns from; of no more than needed.

    section: where the data set stands in the recipe. Raises ValueError when none does, and for samples of one camera.
    """
    names = []
    for index in np.unique(np.linspace(0, len(dataset) - 1, LOOKS).round().astype(int)):
        sample = dataset[int(index)]
        if sample.right is None:
            raise ValueError(
                f"expected stereo pairs in {section}, got one view in '{sample.name}'; choose a stereo data set, or "
                "set classes_only to learn the classes of labelled frames"
            )
        if objective.can_learn_from(collate_samples([sample], torch.device("cpu"))):
            return sample
        names.append(sample.name)
    raise ValueError(
        f"expected {' or '.join(objective.truth)} for objective '{objective.name}' in {section}, got none in "
        f"{len(names)} of {len(dataset)} samples (first '{names[0]}'): disparity_px counts from 0 to "
        f"{objective.max_disparity_px:g} (loss.max_disparity_px), depth_m where the camera is known, semantic where it "
        "is labelled; check the names and the content of the truth's files, or leave the section out"
    )
