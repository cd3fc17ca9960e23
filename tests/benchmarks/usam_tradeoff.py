# SPDX-License-Identifier: Apache-2.0
"""Time of USAM-Net without regions, with its light branch and with Segment Anything, interleaved in one run.

The network is timed in torch in all three variants; weights play no part in time. SAM's part is its automatic mask
generator and the painting of the region image. CPU seconds of this process are printed beside wall-clock ones: on a
busy machine only the former can be compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import depth_models
import numpy as np
import torch
from depth_runtime.files.images import read_rgb
from depth_training.labelling.mask_generator import MaskSettings, load_masks
from depth_training.transforms.regions import region_image

REGIONS = ("none", "light", "given")


def network(regions: str, width: float, pair: list[torch.Tensor]) -> Callable[[], object]:
    """One pass of a variant in eval mode; one of given regions gets the left view in their place."""
    net = depth_models.build("usam_net", regions=regions, width=width).eval()
    images = dict(zip(("left", "right", "regions"), (*pair, pair[0]), strict=True))
    return torch.no_grad()(lambda: net(**{name: images[name] for name in net.inputs}))


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and CPU milliseconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def measure(rows: dict[str, Callable[[], object]], rounds: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Medians of (wall-clock, CPU) milliseconds; every row takes its turn in each round after one to warm up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    for number in range(max(rounds.values()) + 1):
        for name, run in rows.items():
            if number > rounds[name]:
                continue
            taken = timed(run)
            if number:
                times[name].append(taken)
    return {name: tuple(map(statistics.median, zip(*taken, strict=True))) for name, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path, help="left view for Segment Anything; resized to --size")
    parser.add_argument("--weights", type=Path, required=True, help="of Segment Anything or MobileSAM")
    parser.add_argument("--points-per-side", type=int, default=MaskSettings().points_per_side)
    parser.add_argument("--size", default="640x384", help="WIDTHxHEIGHT")
    parser.add_argument("--width", type=float, default=1.0, help="of the network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sam-rounds", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    width, height = map(int, arguments.size.split("x"))
    view = torch.from_numpy(read_rgb(arguments.image)).permute(2, 0, 1)[None].float()
    view = torch.nn.functional.interpolate(view, (height, width), mode="bilinear")
    masks = load_masks(arguments.weights, MaskSettings(arguments.points_per_side))
    image = view[0].permute(1, 2, 0).round().numpy().astype(np.uint8)
    rows = {f"network, {kind}": network(kind, arguments.width, [view, view]) for kind in REGIONS}
    rows["masks of SAM"] = lambda: region_image(image, masks(image))
    rounds = dict.fromkeys(rows, arguments.rounds) | {"masks of SAM": arguments.sam_rounds}
    medians = measure(rows, rounds)
    masks_ms = medians.pop("masks of SAM")
    medians["masks of SAM + network, given"] = tuple(map(sum, zip(masks_ms, medians["network, given"], strict=True)))
    base = medians["network, none"]
    print(
        f"{arguments.size}, width {arguments.width}, {arguments.threads} threads, {arguments.points_per_side} points\n"
    )
    print("| what | wall ms | ratio | CPU ms | ratio |\n| --- | --: | --: | --: | --: |")
    for name, (wall, cpu) in medians.items():
        print(f"| {name} | {wall:.0f} | {wall / base[0]:.2f} | {cpu:.0f} | {cpu / base[1]:.2f} |")


if __name__ == "__main__":
    main()
