# SPDX-License-Identifier: Apache-2.0
"""Score published disparity, depth and semantics against ground truth."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from depth_runtime.command_line import path_argument
from depth_runtime.rectification import BaselineRule
from depth_runtime.tables import json_text, plain_table

from ..scoring.score import Score, score_bags


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("outputs", type=path_argument, metavar="OUTPUTS", help="bag with what the node published")
    parser.add_argument(
        "--truth", type=path_argument, metavar="BAG", help="bag with the ground_truth topics (default: OUTPUTS itself)"
    )
    parser.add_argument(
        "--baseline-m", type=float, default=0.0, metavar="M", help="baseline in metres, 0 = from camera_info"
    )
    parser.add_argument("--json", type=path_argument, metavar="FILE", help="write the figures as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Score and print; without any truth that is said, and is no failure."""
    score = score_bags(arguments.outputs, arguments.truth or arguments.outputs, BaselineRule(arguments.baseline_m))
    if arguments.json:
        arguments.json.write_text(json_text(asdict(score)), encoding="utf-8")
    print(score_text(score))


def score_text(score: Score) -> str:
    """Table and notes of a score."""
    rows = [(f"{kind} {name}", value) for kind, name, value in score.rows()]
    rows += [(f"IoU {name}", f"{value:.1f} %") for name, value in score.class_iou.items()]
    text = plain_table(("accuracy", "value"), rows) if rows else "accuracy: nothing to score"
    return "\n".join([text, *(f"note: {note}" for note in score.notes)])
