# SPDX-License-Identifier: Apache-2.0
"""One camera, from rendered streets with true metres to a file that tells metres on a robot, whatever its lens."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from depth_export.cli import main as export_main
from depth_models import load_weights, save_weights
from depth_runtime.backends import make_backend
from depth_runtime.backends.plain_weights import precision_of
from depth_runtime.metrics import depth_errors
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import MonoPipeline
from depth_training.batches.config import DataConfig
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.batches.synthetic_source import batch_of_sample
from depth_training.core.distributed import Processes
from depth_training.engine.config import (
    LogConfig,
    LossConfig,
    NetworkConfig,
    OptimiserConfig,
    ScheduleConfig,
    TrainConfig,
)
from depth_training.engine.trainer import Trainer
from depth_training.evaluation.torch_backend import TorchBackend
from depth_training.synthetic import StereoWorld, TextureBank

pytestmark = pytest.mark.slow

HEIGHT, WIDTH, STEPS = 64, 128, 60
FOCAL_PX = (0.5 * WIDTH, 1.1 * WIDTH)
SCENES = 2


class Streets:
    """The same streets in every batch, each seen by a wide and by a long lens."""

    def __init__(self) -> None:
        world = StereoWorld(TextureBank.procedural(8, seed=0), HEIGHT, WIDTH, seed=3)
        scenes, batches = world.scenes(SCENES, {"drive": 1.0}), []
        for focal_px in FOCAL_PX:
            scenes.focal = torch.full((SCENES,), focal_px)
            batches.append(batch_of_sample(world.renderer.render(scenes)))
        self.batch, self.position = StereoBatch.cat(batches), 0

    def next_batch(self) -> StereoBatch:
        self.position += 1
        return self.batch


@pytest.fixture(scope="module")
def streets() -> StereoBatch:
    torch.manual_seed(0)
    return Streets().batch


@pytest.fixture(scope="module")
def trained(repository, tmp_path_factory) -> tuple[Trainer, Path]:
    """A run of STEPS steps that began with stereo_s, and its folder."""
    folder, source = tmp_path_factory.mktemp("mono"), Streets()
    config = TrainConfig(
        network=NetworkConfig(name="mono_s", start_weights=str(repository / "training/weights/stereo_s.pt")),
        data=DataConfig(height=HEIGHT, width=WIDTH, batch=len(FOCAL_PX) * SCENES),
        optimiser=OptimiserConfig(learning_rate=2e-3, ema_decay=0.8),
        schedule=ScheduleConfig(steps=STEPS, minutes=0.0),
        loss=LossConfig(objective="mono_supervised"),
        log=LogConfig(every_steps=10, evaluate_minutes=1e3, tensorboard=False),
    )
    trainer = Trainer(config, source, Processes(0, 1, torch.device("cpu")))
    theirs = load_weights(config.network.start_weights)[0].state_dict()
    own = {name: value for name, value in trainer.network.state_dict().items() if not name.startswith("depth.")}
    assert all(torch.equal(value, theirs[name]) for name, value in own.items())
    assert trainer.run(folder, [source.batch])
    save_weights(folder / "weights.pt", "mono_s", trainer.ema.network)
    return trainer, folder


@pytest.fixture(scope="module")
def exported(trained) -> Path:
    """Contract file of the run, in FP32, behind the parity gate."""
    _, folder = trained
    options = ["--weights", str(folder / "weights.pt"), "--default-size", f"{WIDTH}x{HEIGHT}"]
    assert export_main(["export", *options, "--out", str(folder / "mono.onnx")]) == 0
    return folder / "mono.onnx"


def image_of(streets: StereoBatch, index: int) -> np.ndarray:
    return streets.left[index].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


def score(streets: StereoBatch, index: int, depth_m: np.ndarray) -> dict[str, float]:
    return depth_errors(depth_m, streets.depth_m[index, 0].numpy(), max_depth_m=80.0)


def test_loss_and_absolute_relative_error_fall(trained):
    lines = [json.loads(line) for line in (trained[1] / "log.jsonl").read_text().splitlines()]
    first, last = (line for line in lines if line["kind"] == "validation")
    assert (first["step"], last["step"]) == (0, STEPS)
    assert last["loss"] < 0.5 * first["loss"]
    assert last["abs_rel"] < 0.5 * first["abs_rel"]
    assert last["delta1"] > first["delta1"]


def test_the_file_says_what_it_takes_and_for_which_focal_length(exported, trained):
    spec = read_spec(exported)
    assert (spec.task, spec.inputs, spec.canonical_focal_px, spec.max_disparity) == ("mono", ("image",), 500.0, None)
    assert spec.outputs == trained[0].network.outputs
    assert spec.default_size == (HEIGHT, WIDTH)


@pytest.mark.parametrize("index", range(len(FOCAL_PX) * SCENES))
def test_the_runtime_tells_metres_of_each_camera(streets, exported, index):
    result = MonoPipeline(make_backend(exported, "onnxruntime-cpu", 1)).process({"image": image_of(streets, index)})
    own, other = FOCAL_PX[index // SCENES], FOCAL_PX[1 - index // SCENES]
    right, wrong = (score(streets, index, result.depth_m(focal_px))["abs_rel"] for focal_px in (own, other))
    assert right < 30
    assert right < wrong
    assert result.confidence.shape == result.panoptic.semantic.shape == (HEIGHT, WIDTH)


def test_a_camera_of_twice_the_size_gets_the_same_metres(streets, exported):
    """Its focal length is twice as large in pixels, and the pipeline shrinks its pictures for the network."""
    small, backend = image_of(streets, 0), make_backend(exported, "onnxruntime-cpu", 1)
    large = small.repeat(2, 0).repeat(2, 1)
    pipeline = MonoPipeline(backend, (HEIGHT, WIDTH), "network")
    result, wanted = pipeline.process({"image": large}), MonoPipeline(backend).process({"image": small})
    np.testing.assert_allclose(result.depth_m(2 * FOCAL_PX[0]), wanted.depth_m(FOCAL_PX[0]), rtol=1e-3)


def test_the_runtime_predicts_as_torch_does(streets, exported, trained):
    network, name, _ = load_weights(trained[1] / "weights.pt")
    backends = make_backend(exported, "onnxruntime-cpu", 1), TorchBackend(network, name, torch.device("cpu"))
    ours, theirs = (MonoPipeline(backend).process({"image": image_of(streets, 2)}) for backend in backends)
    np.testing.assert_allclose(ours.depth_m(100.0), theirs.depth_m(100.0), rtol=0.01)
    np.testing.assert_allclose(ours.confidence, theirs.confidence, atol=0.01)
    assert (ours.panoptic.semantic == theirs.panoptic.semantic).mean() > 0.99


def test_half_precision_passes_its_gate(exported, tmp_path):
    assert export_main(["halve", "--model", str(exported), "--out", str(tmp_path / "half.onnx")]) == 0
    assert precision_of((tmp_path / "half.onnx").read_bytes()) == "fp16"
    assert read_spec(tmp_path / "half.onnx").canonical_focal_px == 500.0
