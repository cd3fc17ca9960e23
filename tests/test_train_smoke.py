# SPDX-License-Identifier: Apache-2.0
"""From nothing to a network that runs on a robot, by the commands a user types.

Train, resume, evaluate, export to FP32, FP16 and INT8, build TensorRT-RTX engines, run.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from depth_runtime.backends import make_backend
from depth_runtime.backends.plain_weights import precision_of
from depth_runtime.backends.tensorrt_api import library_missing
from depth_runtime.onnx_file import read_spec, sha256
from depth_runtime.pipeline import StereoPipeline
from depth_training.evaluation.torch_backend import TorchBackend, load_network

pytestmark = pytest.mark.slow

STEPS = 24
FIRST_BOX_MINUTES = 0.2
# Far beyond what the slowest and busiest machine needs: only a program that hangs meets it.
HANGS_S = 3600
WIDTH, HEIGHT = 192, 96
# After so few steps the network is unsure everywhere, and fewer bits turn its mind more than a trained one's.
GATE = "--half-slack 16 --max-drift 1 --max-loss 25 --max-semantic 50"
RENDER = "--size 256x128 --computed-textures 8"
ENGINES = f"--size {WIDTH}x{HEIGHT} --compute-capability 8.6"


def command(*words: object, **environment: object) -> None:
    """Run one of the project's commands; its output is shown by `pytest -s`."""
    # Threads that spin while they wait are what costs most where several programs share two cores.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | {name: str(value) for name, value in environment.items()}
    subprocess.run([*map(str, words)], check=True, env=os.environ | environment, timeout=HANGS_S)


@pytest.fixture(scope="module")
def trained(repository, tmp_path_factory) -> Path:
    """Folder of a run of STEPS steps in two time boxes, and of the files that are made of it."""
    out = tmp_path_factory.mktemp("smoke") / "run"

    def box(minutes: float) -> None:
        """The command that a user repeats; it fails when a gate refuses a file."""
        options = ("--set", f"schedule.steps={STEPS}", "--threads", 2)
        where = {"OUT": out, "PYTHON": sys.executable, "PAIRS": 4, "RENDER": RENDER}
        where["EXPORT"] = f"--name smoke {GATE} {ENGINES}"
        command(repository / "training" / "box.sh", "smoke", minutes, *options, **where)

    box(FIRST_BOX_MINUTES)
    assert 0 < json.loads((out / "metrics.json").read_text())["progress"] < 1
    assert not (out / "files").exists()
    box(60)
    return out


@pytest.fixture(scope="module")
def everything(trained) -> Path:
    """Folder of all files that were made of the run's weights."""
    return trained / "files"


@pytest.fixture(scope="module")
def exported(everything) -> Path:
    """Contract file of the run."""
    return everything / "smoke.onnx"


def log_of(folder: Path, kind: str) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def test_two_time_boxes_make_one_run(trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    assert (metrics["steps"], metrics["progress"]) == (STEPS, 1.0)
    evaluations = [line["step"] for line in log_of(trained, "validation")]
    assert evaluations[0] == 0
    assert evaluations[-1] == STEPS
    assert len(evaluations) >= 3  # at the start and at the end of each box, on a slow machine in between as well


def test_the_loss_on_scenes_that_were_never_trained_on_falls(trained):
    first, *_, last = log_of(trained, "validation")
    assert last["loss"] < 0.9 * first["loss"]
    assert last["epe"] < first["epe"]


def test_the_exported_file_says_how_it_was_made(exported):
    spec = read_spec(exported)
    assert (spec.task, spec.max_disparity) == ("stereo", 64.0)
    assert spec.training["steps"] == STEPS
    assert spec.training["recipe"]["data"]["batch"] == 2
    assert spec.metrics["validation"]["epe"] > 0


def test_evaluate_scores_the_file_beside_the_checkpoint_and_sgbm(trained, exported, tmp_path):
    methods = (f"zoo:{exported}", f"checkpoint:{trained / 'last.pt'}", "sgbm")
    options = [word for method in methods for word in ("--method", method)]
    evaluate = (sys.executable, "-m", "depth_training", "evaluate", f"plain={trained / 'pairs'}")
    command(*evaluate, *options, "--json", tmp_path / "scores.json")
    summary = json.loads((tmp_path / "scores.json").read_text())["summary"]
    epe = {row["method"]: row["epe"] for row in summary if row["dataset"] == "plain" and not row["part"]}
    assert epe["smoke"] == pytest.approx(epe["last"], rel=0.02)  # the file's weights are rounded to FP16
    assert epe["sgbm"] > 0


def test_one_command_makes_half_precision_and_int8_files_of_it(everything, exported):
    precisions = {"smoke_fp16": "fp16", "smoke_int8": "int8", "smoke_int8_tensorrt": "int8"}
    for name, precision in precisions.items():
        path = everything / f"{name}.onnx"
        assert precision_of(path.read_bytes()) == precision
        metadata = read_spec(path).training
        assert metadata.get("quantisation", metadata)["source_sha256"] == sha256(exported)


@pytest.mark.skipif(bool(library_missing("tensorrt_rtx")), reason=library_missing("tensorrt_rtx"))
def test_every_file_for_gpus_becomes_a_tensorrt_rtx_engine_without_a_gpu(everything):
    descriptions = [json.loads(path.read_text())["key"] for path in everything.glob("engines/*.json")]
    files = [everything / f"smoke{suffix}.onnx" for suffix in ("", "_fp16", "_int8_tensorrt")]
    assert {key["onnx_sha256"] for key in descriptions} == {sha256(path) for path in files}
    assert {key["precision"] for key in descriptions} == {"fp32", "fp16", "int8"}


def test_the_runtime_predicts_as_torch_does(trained, exported):
    left, right = np.random.default_rng(0).integers(0, 256, (2, 100, 150, 3), dtype=np.uint8)
    backends = make_backend(exported, "onnxruntime-cpu", 1), TorchBackend(*load_network(trained / "weights.pt"))
    predictions = [
        StereoPipeline(backend).process({"left": left, "right": right}, {"confidence"}) for backend in backends
    ]
    assert predictions[0].disparity_px.shape == (100, 150)
    assert predictions[0].disparity_px.max() > 0
    np.testing.assert_allclose(predictions[0].disparity_px, predictions[1].disparity_px, atol=0.05)
    np.testing.assert_allclose(predictions[0].confidence, predictions[1].confidence, atol=0.01)
