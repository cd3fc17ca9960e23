# SPDX-License-Identifier: Apache-2.0
"""Labelled stereo pairs per second of the procedural world, on a CPU or a GPU.

Times scene drawing, rendering and the whole batch with camera noise; a GPU first warms up and compiles the kernels.
A GPU is waited for once per stage and round. On a busy machine read the CPU seconds, which waiting does not change.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from depth_training.synthetic import DEFAULT_MIX, SCENE_KINDS, StereoWorld, TextureBank


@dataclass
class TimedStage:
    """A part of the work with the wall and CPU seconds of its rounds."""

    name: str
    work: Callable[[], object]
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def run(self, device: torch.device) -> None:
        """Do the work once."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", default="512x288", help="WIDTHxHEIGHT")
    parser.add_argument("--batch", type=int, default=0, help="pairs (default: 64 on a GPU, 4 on a CPU)")
    parser.add_argument("--rounds", type=int, default=0, help="default: 20 on a GPU, 3 on a CPU")
    parser.add_argument(
        "--kind", choices=list(SCENE_KINDS), help="only one kind of scene; default: the mix of training"
    )
    parser.add_argument("--textures", type=Path, help="archive; default: computed textures")
    parser.add_argument("--threads", type=int, default=1, help="of a CPU")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    device, on_gpu = torch.device(args.device), args.device.startswith("cuda")
    batch, rounds = args.batch or (64 if on_gpu else 4), args.rounds or (20 if on_gpu else 3)
    width, height = (int(number) for number in args.size.split("x"))
    bank = TextureBank.load(args.textures, device) if args.textures else TextureBank.procedural(24, 0, device)
    world = StereoWorld(bank, height, width, seed=0)
    mix = {args.kind: 1.0} if args.kind else DEFAULT_MIX
    scenes = world.scenes(batch, mix)
    stages = [
        TimedStage("scenes", lambda: world.scenes(batch, mix)),
        TimedStage("rendering", lambda: world.renderer.render(scenes)),
        TimedStage("whole batch", lambda: world.batch(batch, mix)),
    ]
    if on_gpu:
        start = time.perf_counter()
        for _ in range(3):
            world.batch(batch, mix)
        torch.cuda.synchronize(device)
        print(f"warm-up with compilation: {time.perf_counter() - start:.0f} s")
    for _ in range(rounds):
        for stage in stages:
            stage.run(device)
    print(
        f"{device}, {torch.get_num_threads()} threads, {width}x{height}, batches of {batch}, {rounds} rounds, medians:"
    )
    for stage in stages:
        wall, cpu = (torch.tensor(times).median().item() for times in (stage.wall_s, stage.cpu_s))
        print(f"{stage.name:12s} {batch / wall:8.2f} pairs/s   {wall:8.3f} s wall   {cpu:8.3f} s CPU")


if __name__ == "__main__":
    main()
