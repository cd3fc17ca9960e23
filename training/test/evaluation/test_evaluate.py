# SPDX-License-Identifier: Apache-2.0
"""The accuracy table: pairs, methods, means."""

import json
import time

import cv2
import numpy as np
import pytest
from depth_runtime.distance_metrics import DistanceErrors
from depth_training.batches.config import PairsConfig
from depth_training.cli import PROGRAM
from depth_training.commands.evaluate import open_methods, open_sets
from depth_training.engine.run_data import open_pairs
from depth_training.evaluation.distance_plot import plot_by_distance
from depth_training.evaluation.evaluate import FIGURES, NO_FIGURES, Evaluation, Limits, evaluate
from depth_training.evaluation.method import Prediction
from depth_training.evaluation.report import as_json, markdown, summarise

TRUTH_PX = 12.0


class FunctionMethod:
    """A method that is a function of the pair."""

    inputs = ("left", "right")
    maps = frozenset()

    def __init__(self, function):
        self.function = function

    def __call__(self, images, maps=()):
        assert not maps
        return self.function(**images)


@pytest.fixture
def listing(tmp_path):
    """Two data sets of one textured pair each, 90 x 260, true disparity 12 px; one truth is half unknown."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 256, (45, 140, 3), dtype=np.uint8), (280, 90))
    cv2.imwrite(str(tmp_path / "left.png"), scene[:, :260])
    cv2.imwrite(str(tmp_path / "right.png"), scene[:, 12:272])
    truth = np.full((90, 260), TRUTH_PX * 256, np.uint16)
    cv2.imwrite(str(tmp_path / "full.png"), truth)
    truth[:, :130] = 0
    cv2.imwrite(str(tmp_path / "half.png"), truth)
    lines = ["dataset,id,left,right,disparity,density,focal_px,baseline_m"]
    lines += [f"{d},x,left.png,right.png,{d}.png,1.0,{f},0.5" for d, f in (("full", 360), ("half", ""))]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines))
    return path


def test_figures_of_a_known_error(listing):
    def wrong_by(left, right):
        disparity = np.full(left.shape[:2], TRUTH_PX + 0.5, np.float32)
        disparity[:45] = TRUTH_PX + 4  # half of the rows
        return Prediction(disparity, parts={"lower": np.arange(90)[:, None].repeat(260, 1) >= 45})

    evaluation = evaluate(open_sets([str(listing)]), {"ours": FunctionMethod(wrong_by)})
    whole, lower = evaluation.rows[:2]
    assert (whole["epe"], whole["d1"], whole["bad1"], whole["bad2"]) == (2.25, 50, 50, 50)
    assert whole["density"] == 100
    assert (lower["epe"], lower["bad1"], lower["density"]) == (0.5, 0, 50)
    # 360 * 0.5 / d: 15 m; 14.4 m below, 11.25 m above
    assert whole["abs_rel"] == pytest.approx(100 * (0.6 + 3.75) / 2 / 15)
    assert whole["delta1"] == 50
    assert np.isnan(lower["abs_rel"])
    assert list(evaluation.by_distance) == [("full", "ours")]
    (only,) = evaluation.by_distance["full", "ours"].curve()
    assert (only["near_m"], only["ard"]) == (12, pytest.approx(14.5))
    assert summarise(evaluation)[0]["gd"] == pytest.approx(14.5)


def test_the_time_of_a_row_is_that_of_one_call_in_milliseconds(listing):
    def slow(left, right):
        time.sleep(0.03)
        return ones

    ones = Prediction(np.ones((90, 260), np.float32))
    rows = evaluate(open_sets([str(listing)]), {"slow": FunctionMethod(slow)}).rows
    assert min(row["milliseconds"] for row in rows) >= 30


def test_truth_above_the_maximum_does_not_count(listing):
    ones = FunctionMethod(lambda left, right: Prediction(np.ones(left.shape[:2])))
    rows = evaluate(open_sets([str(listing)]), {"m": ones}, Limits(max_disparity_px=11)).rows
    assert [row["density"] for row in rows] == [0, 0]
    assert np.isnan(rows[0]["epe"])


def test_the_area_of_a_confidence_that_knows_the_errors_is_the_best_one(listing):
    def half_wrong(sure_above):
        def method(left, right):
            upper = np.arange(90)[:, None].repeat(260, 1) < 45
            disparity = np.where(upper, np.float32(TRUTH_PX + 4), np.float32(TRUTH_PX))
            return Prediction(disparity, np.where(upper == sure_above, np.float32(0.9), np.float32(0.1)))

        return method

    methods = {"right": FunctionMethod(half_wrong(False)), "wrong": FunctionMethod(half_wrong(True))}
    evaluation = evaluate(open_sets([str(listing)]), methods)
    summary = summarise(evaluation)
    right, wrong = summary[:2]
    # Every 5 % of the pixels: 10 times no error, then (k - 10) / k for k = 11..20
    best = 100 * sum((k - 10) / k for k in range(11, 21)) / 20
    assert right["auc"] == pytest.approx(right["best_auc"]) == pytest.approx(best)
    assert wrong["best_auc"] == pytest.approx(best)
    assert wrong["auc"] == pytest.approx(100 * (10 + sum(10 / k for k in range(11, 21))) / 20)
    assert "| AUC % | best AUC % |" in markdown(summary)
    curves = as_json(evaluation, summary, {})["by_density"]
    assert [(curve["dataset"], curve["method"]) for curve in curves] == [
        (dataset, method) for dataset in ("full", "half") for method in methods
    ]
    assert curves[1]["density"][9] == 0.5
    assert (curves[1]["bad3"][9], curves[1]["bad3"][19]) == (pytest.approx(100), pytest.approx(50))
    assert (curves[1]["best_bad3"][9], curves[1]["best_bad3"][19]) == (0, pytest.approx(50))


def test_summary_means_over_pairs_and_over_all(listing):
    calls = []

    def exact_then_3_px_off(left, right):
        calls.append(1)
        error_px = 0 if len(calls) <= 2 else 3  # the first call at a new size is repeated
        return Prediction(np.full(left.shape[:2], TRUTH_PX + error_px, np.float32))

    evaluation = evaluate(open_sets([str(listing)]), {"m": FunctionMethod(exact_then_3_px_off)})
    summary = summarise(evaluation)
    assert [(r["dataset"], r["pairs"], r["epe"]) for r in summary] == [("full", 1, 0), ("half", 1, 3), ("all", 2, 1.5)]
    table = markdown(summary)
    assert "| half (1) | m | 3.00 |" in table
    assert "AUC" not in table
    assert "GD %" in table
    assert [row["gd"] for row in summary] == [0, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True)]
    details = json.loads(json.dumps(as_json(evaluation, summary, {"size": "source"}), allow_nan=False))
    assert details["settings"] == {"size": "source", "max_disparity_px": 192, "max_depth_m": 80, "crop": "none"}
    assert details["by_distance"][0]["ard"][0]["pixels"] == 90 * 260
    assert details["summary"][1]["gd"] is None


def test_times_are_medians_and_distances_belong_to_whole_predictions():
    evaluation = Evaluation(Limits())
    for part in ("", "sure"):
        for milliseconds in (3, 1, 50):
            row = {"dataset": "a", "id": "x", "method": "m", "part": part, "milliseconds": milliseconds}
            evaluation.rows.append(row | dict.fromkeys(FIGURES, 1.0) | NO_FIGURES)
    distances = evaluation.by_distance["a", "m"] = DistanceErrors()
    distances.add(np.array([[11.0]]), np.array([[10.0]]))
    whole, sure = summarise(evaluation)[:2]
    assert (whole["milliseconds"], whole["gd"]) == (3, pytest.approx(10))
    assert np.isnan(sure["gd"])


def test_depth_is_scored_within_the_limits_with_and_without_median_scaling(listing):
    def twice_as_far_in_the_middle(left, right):
        disparity = np.full(left.shape[:2], TRUTH_PX / 2, np.float32)
        disparity[:, :20] = TRUTH_PX / 8  # left of Garg's crop, which starts in column 9, and a little inside
        return Prediction(disparity)

    sets = {"full": open_sets([str(listing)])["full"]}
    row = evaluate(sets, {"m": FunctionMethod(twice_as_far_in_the_middle)}, Limits(crop="garg")).rows[0]
    # Truth 15 m; 30 m, and 120 m cut to 80 m in columns 9..19 of 9..249; the median of the prediction is 30 m.
    fraction = 11 / 241
    assert row["abs_rel"] == pytest.approx(100 * ((1 - fraction) + fraction * 65 / 15))
    assert row["scaled_abs_rel"] == pytest.approx(100 * fraction * 3)
    assert row["scaled_delta1"] == pytest.approx(100 * (1 - fraction))
    assert row["delta1"] == 0
    assert row["epe"] == pytest.approx(6 + 4.5 * 20 / 260)  # disparity is scored everywhere
    near = evaluate(sets, {"m": FunctionMethod(twice_as_far_in_the_middle)}, Limits(max_depth_m=14)).rows[0]
    assert np.isnan(near["abs_rel"])
    with pytest.raises(ValueError, match=r"crop among \['none', 'garg'\], got 'eigen'"):
        Limits(crop="eigen")


def test_readers_get_their_options_by_the_set_name(listing, tmp_path):
    for index in range(3):
        for side in ("left", "right"):
            (tmp_path / "seq" / side).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "seq" / side / f"{index}.png"), np.zeros((4, 5, 3), np.uint8))
    data = [str(listing), f"plain={tmp_path}/seq"]
    assert len(open_sets(data, ["plain.neighbours=true"])["plain"]) == 1
    with pytest.raises(ValueError, match=r"\['stereo', 'neighbours'\], got \['neighbors'\]"):
        open_sets(data, ["plain.neighbors=true"])
    with pytest.raises(ValueError, match=r"options of the sets .* \['kitti-raw'\]"):
        open_sets(data, ["kitti-raw.stereo=false"])


def test_the_command_prints_the_table(listing, capsys, tmp_path):
    outputs = ["--json", str(tmp_path / "t.json"), "--pictures", str(tmp_path / "sheets")]
    PROGRAM.run(["evaluate", str(listing), "--method", "sgbm", "--dataset", "half", *outputs])
    assert "| half (1) | sgbm |" in capsys.readouterr().out
    assert (tmp_path / "t.json").stat().st_size > 100
    assert cv2.imread(str(tmp_path / "sheets/half_x.png")).shape[1] == 3 * 480


def test_pairs_shrink_in_scores_and_in_recipes(listing, tmp_path):
    report = tmp_path / "report.json"
    only = ["--dataset", "full", "--max-disparity", "8", "--json", str(report)]
    PROGRAM.run(["evaluate", str(listing), "--method", "sgbm", "--shrink", "2", *only])
    row = next(row for row in json.loads(report.read_text())["pairs"] if not row["part"])
    assert row["epe"] < 0.3  # at the pairs' own size every true disparity is above the limit
    sample = open_pairs(PairsConfig(dataset="csv", root=str(listing), split="full", shrink=2))[0]
    assert sample.left.shape == (45, 130, 3)
    assert np.nanmax(np.abs(sample.disparity_px - TRUTH_PX / 2)) == 0


def test_data_sets_are_named_by_list_or_root(listing, tmp_path):
    for side in ("left", "right"):
        (tmp_path / "seq/val" / side).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "seq/val" / side / "000000.png"), np.zeros((4, 5, 3), np.uint8))
    sets = open_sets([str(listing), f"plain={tmp_path}/seq@val"])
    assert {name: len(dataset) for name, dataset in sets.items()} == {"full": 1, "half": 1, "plain": 1}
    with pytest.raises(ValueError, match=r"no true disparity in 'val/000000'"):
        evaluate({"plain": sets["plain"]}, {})
    with pytest.raises(ValueError, match=r"\['full', 'half'\] again"):
        open_sets([str(listing), str(listing)])
    with pytest.raises(ValueError, match=r"'sgbm' again"):
        open_methods(["sgbm", "sgbm"], 1, "source")
    with pytest.raises(ValueError, match=r"--dataset among \['full', 'half'\], got \['haf'\]"):
        PROGRAM.run(["evaluate", str(listing), "--method", "sgbm", "--dataset", "haf"])


def test_depth_error_by_distance_is_drawn(listing, tmp_path):
    pytest.importorskip("matplotlib", reason="the plot is an optional extra (plots)")
    path = tmp_path / "ard.png"
    PROGRAM.run(["evaluate", str(listing), "--method", "sgbm", "--dataset", "full", "--plot", str(path)])
    picture = cv2.imread(str(path))
    assert picture.shape[:2] == (480, 660)
    assert (picture != 255).mean() > 0.02
    with pytest.raises(ValueError, match="known cameras"):
        plot_by_distance({}, path)
