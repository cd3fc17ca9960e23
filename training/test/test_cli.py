# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole."""

import pytest
from depth_training.cli import program


def test_what_cannot_work_ends_in_one_line(monkeypatch):
    monkeypatch.setattr("sys.argv", ["depth_training", "evaluate", "--data", "no.csv", "--method", "sgbm"])
    with pytest.raises(SystemExit, match=r"^depth_training: expected the file no\.csv, got none"):
        program()
