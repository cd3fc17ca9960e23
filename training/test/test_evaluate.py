# SPDX-License-Identifier: Apache-2.0
"""The accuracy table: pairs, methods, means."""

import cv2
import numpy as np
import pytest
from depth_training.cli import main
from depth_training.evaluate import evaluate, markdown, summarise
from depth_training.stereo_methods import Answer, SgbmMethod, fill_from_background, make_method
from depth_training.stereo_pairs import read_pairs

TRUTH_PX = 12.0


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
    lines = ["dataset,id,left,right,disparity,density"]
    lines += [f"{d},x,left.png,right.png,{d}.png,1.0" for d in ("full", "half")]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines))
    return path


def test_pairs_are_read_relative_to_the_list(listing):
    first, second = read_pairs(listing)
    assert first.images()[0].shape == (90, 260, 3)
    assert np.unique(second.truth_px()).tolist() == [0, TRUTH_PX]
    assert second.truth_px(max_disparity_px=11).max() == 0


def test_a_list_without_a_column_is_refused(tmp_path):
    (tmp_path / "bad.csv").write_text("dataset,id,left,right\na,b,c,d")
    with pytest.raises(ValueError, match=r"none of \['disparity'\]"):
        read_pairs(tmp_path / "bad.csv")


def test_figures_of_a_known_error(listing):
    def wrong_by(left, right):
        disparity = np.full(left.shape[:2], TRUTH_PX + 0.5, np.float32)
        disparity[:45] = TRUTH_PX + 4  # half of the rows
        return Answer(disparity, {"lower": np.arange(90)[:, None].repeat(260, 1) >= 45})

    rows = evaluate(read_pairs(listing), {"ours": wrong_by}, 192)
    whole, lower = rows[0], rows[1]
    assert (whole["epe"], whole["d1"], whole["bad1"], whole["bad2"]) == (2.25, 50, 50, 50)
    assert whole["density"] == 100
    assert (lower["epe"], lower["bad1"], lower["density"]) == (0.5, 0, 50)


def test_summary_means_over_pairs_and_over_all(listing):
    calls = []

    def exact_then_3_px_off(left, right):
        calls.append(1)
        error_px = 0 if len(calls) <= 2 else 3  # the first call at a new size is repeated
        return Answer(np.full(left.shape[:2], TRUTH_PX + error_px, np.float32))

    summary = summarise(evaluate(read_pairs(listing), {"m": exact_then_3_px_off}, 192))
    assert [(r["dataset"], r["pairs"], r["epe"]) for r in summary] == [("full", 1, 0), ("half", 1, 3), ("all", 2, 1.5)]
    assert "| half (1) | m | 3.00 |" in markdown(summary)


def test_sgbm_finds_the_shift(listing):
    left, right = read_pairs(listing)[0].images()
    answer = SgbmMethod("", 1)(left, right)
    own = answer.parts["own answers"]
    assert own.mean() > 0.8
    assert np.median(np.abs(answer.disparity_px - TRUTH_PX)[own]) < 0.2
    assert (answer.disparity_px > 0).all()


def test_holes_take_the_smaller_neighbour():
    row = np.array([[-1, 8, -1, -1, 3, 0], [0, 0, 0, 0, 0, 0]], np.float32)
    assert fill_from_background(row).tolist() == [[8, 8, 3, 3, 3, 3], [0] * 6]


def test_an_unknown_method_lists_the_kinds():
    with pytest.raises(ValueError, match="'hitnet', 'sgbm', 'zoo'"):
        make_method("bm:5", 1)


def test_the_command_prints_the_table(listing, capsys, tmp_path):
    outputs = ["--json", str(tmp_path / "t.json"), "--pictures", str(tmp_path / "sheets")]
    main(["evaluate", "--data", str(listing), "--method", "sgbm", "--dataset", "half", *outputs])
    assert "| half (1) | sgbm |" in capsys.readouterr().out
    assert (tmp_path / "t.json").stat().st_size > 100
    assert cv2.imread(str(tmp_path / "sheets/half_x.png")).shape[1] == 3 * 480
