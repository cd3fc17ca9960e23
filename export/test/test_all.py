# SPDX-License-Identifier: Apache-2.0
"""`all` makes what can be made here, says why the rest cannot, and fails when a gate refuses something."""

import logging

import cv2
import numpy as np
import pytest
from depth_export import export_command, half_command
from depth_export.cli import main
from depth_export.probe import write_probe
from depth_models import build, save_weights
from depth_runtime.backends.cuda_runtime import cuda_missing
from depth_runtime.backends.tensorrt_api import library_missing

pytestmark = pytest.mark.skipif(bool(library_missing("tensorrt_rtx")), reason=library_missing("tensorrt_rtx"))


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """Command line of `all`; the exporter is quick and writes the probe."""

    def export_probe(_, path):
        path.parent.mkdir(exist_ok=True)
        write_probe(path)

    monkeypatch.setattr(export_command, "export_weights", export_probe)
    save_weights(tmp_path / "weights.pt", "stereo_s", build("stereo_s"))
    words = ["all", "--weights", tmp_path / "weights.pt", "--out", tmp_path / "out", "--size", "320x192"]
    return [*map(str, words), "--compute-capability", "8.6", "--compute-capability", "12.0"]


def test_what_can_be_made_is_made_and_the_rest_says_why_not(arguments, tmp_path, caplog):
    stale = tmp_path / "out" / "stereo_s_int8.onnx"
    stale.parent.mkdir()
    stale.touch()
    with caplog.at_level(logging.INFO):
        assert main(arguments) == 0
    assert sorted(path.name for path in tmp_path.glob("out/*.onnx")) == ["stereo_s.onnx", "stereo_s_fp16.onnx"]
    assert len(list(tmp_path.glob("out/engines/*-320x192-*.plan"))) == 4  # of two files for two kinds of GPU
    table = caplog.messages[-1]
    assert "| quantize for cpu |  | skipped: no --calibration pairs |" in table
    if reason := library_missing("tensorrt") or cuda_missing():
        assert f"| tensorrt engines |  | skipped: {reason} |" in table


def test_a_step_that_is_refused_fails_the_command_and_leaves_the_others(
    arguments, tmp_path, monkeypatch, caplog, capsys
):
    monkeypatch.setitem(half_command.LIMITS, "disparity", -1.0)
    for side in ("left", "right", "disparity"):
        (tmp_path / side).mkdir()
        for i in range(4):
            cv2.imwrite(f"{tmp_path}/{side}/{i}.png", np.full((64, 96), 90, np.uint8))
    arguments += ["--calibration", str(tmp_path)]
    with caplog.at_level(logging.INFO):
        assert main(arguments) == 1
    assert "got ['halve', 'quantize for cpu', 'quantize for tensorrt'] refused" in capsys.readouterr().err
    assert "refused: expected 'disparity' within -1 of FP32" in caplog.text
    assert "refused: expected a part that drifts" in caplog.text  # the probe has no product at all
    assert [path.name for path in tmp_path.glob("out/*.onnx")] == ["stereo_s.onnx"]
    assert len(list(tmp_path.glob("out/engines/*.plan"))) == 2
