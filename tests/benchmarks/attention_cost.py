# SPDX-License-Identifier: Apache-2.0
"""Cost of H-Net's kinds of attention at full width: parameters, multiply-accumulates, CPU time in ONNX Runtime.

Contract graphs with random weights, all interleaved in one process on one thread. CPU time, so other work on the
machine disturbs little; ratios are to the Siamese network without attention.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import depth_models
import numpy as np
import onnxruntime
import torch
from depth_export.contract import Contract
from depth_export.export import export_contract
from depth_models import network_spec

VARIANTS = {
    "joined images": {"attention": "none", "siamese": False},
    "SE-SD": {"attention": "none"},
    "+ EG-MNL": {"attention": "eg_mnl"},
    "+ EG-MEA": {"attention": "eg_mea"},
    "+ OT-MNL": {"attention": "ot_mnl"},
    "+ OT-MEA": {"attention": "ot_mea"},
}


def session_of(network: torch.nn.Module, path: Path) -> onnxruntime.InferenceSession:
    """The exported network on one thread."""
    export_contract(Contract(network), network_spec(network, "hnet", "random"), path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="640x192", help="WIDTHxHEIGHT")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    pair = np.random.default_rng(0).integers(0, 256, (2, 1, height, width, 3), np.uint8)
    feed = dict(zip(("left", "right"), pair, strict=True))
    networks = {name: depth_models.build("hnet", **config).eval() for name, config in VARIANTS.items()}
    times: dict[str, list[float]] = {name: [] for name in networks}
    with tempfile.TemporaryDirectory() as folder:
        sessions = {name: session_of(network, Path(folder) / "network.onnx") for name, network in networks.items()}
    for round_number in range(arguments.rounds + 1):
        for name, session in sessions.items():
            start = time.process_time()
            session.run(None, feed)
            if round_number:  # the first round warms up
                times[name].append(1e3 * (time.process_time() - start))
    base = np.median(times["SE-SD"])
    print("| network | parameters, M | GMACs | CPU ms | ratio |\n| --- | --: | --: | --: | --: |")
    for name, network in networks.items():
        cost, median = depth_models.count_cost(network, height, width), np.median(times[name])
        print(f"| {name} | {cost.parameters / 1e6:.1f} | {cost.gmacs:.1f} | {median:.0f} | {median / base:.2f} |")


if __name__ == "__main__":
    main()
