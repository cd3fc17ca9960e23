# SPDX-License-Identifier: Apache-2.0
"""Does a training set hold scored pictures? Largest correlation of small grey left views of two sets.

The same picture correlates by nearly 1, whatever its brightness and contrast.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from depth_training.commands.evaluate import open_sets
from depth_training.data import Dataset

SIZE = (48, 16)  # columns, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", action="append", required=True, help="scored sets, as in `evaluate`; repeatable")
    parser.add_argument("--against", action="append", required=True, help="sets trained on; repeatable")
    arguments = parser.parse_args()
    scored, trained = ([copies(s) for s in open_sets(names).items()] for names in (arguments.data, arguments.against))
    print("| scored | trained on | largest correlation |\n| --- | --- | --: |")
    for name, of_scored in scored:
        for other, of_trained in trained:
            largest = (of_scored @ of_trained.T).max()
            print(f"| {name} ({len(of_scored)}) | {other} ({len(of_trained)}) | {largest:.2f} |")


def copies(named: tuple[str, Dataset]) -> tuple[str, np.ndarray]:
    """Name, and left views as rows of mean 0 and length 1."""
    name, dataset = named
    small = [cv2.resize(dataset[i].left, SIZE, interpolation=cv2.INTER_AREA).mean(2) for i in range(len(dataset))]
    rows = np.stack([picture.ravel() - picture.mean() for picture in small])
    return name, rows / np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
