# SPDX-License-Identifier: Apache-2.0
"""Arguments of `depth_replay score`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from depth_runtime.rectification import BaselineRule
from depth_runtime.tables import json_text, plain_table

from ..scoring.score import Score, score_bags


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("outputs", type=Path, help="bag with what the node published")
    parser.add_argument("--truth", type=Path, metavar="BAG", help="bag with the ground_truth topics (OUTPUTS itself)")
    parser.add_argument("--baseline-m", type=float, default=0.0, metavar="M", help="baseline (0 = from camera_info)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Score and print; without any truth that is said, and is no failure."""
    score = score_bags(args.outputs, args.truth or args.outputs, BaselineRule(args.baseline_m))
    if args.json:
        args.json.write_text(json_text(asdict(score)), encoding="utf-8")
    print(score_text(score))
    return 0


def score_text(score: Score) -> str:
    """Table and notes of a score."""
    rows = [(f"{kind} {name}", value) for kind, name, value in score.rows()]
    rows += [(f"IoU {name}", f"{value:.1f} %") for name, value in score.class_iou.items()]
    text = plain_table(("accuracy", "value"), rows) if rows else "accuracy: nothing to score"
    return "\n".join([text, *(f"note: {note}" for note in score.notes)])
