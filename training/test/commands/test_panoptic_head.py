# SPDX-License-Identifier: Apache-2.0
"""The recipe panoptic_head: a head learns the classes of labelled frames, and nothing else of the network changes."""

import json
from pathlib import Path

import cv2
import depth_models
import numpy as np
import pytest
import torch
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.cli import PROGRAM

CONFIG = Path(__file__).parents[2] / "configs" / "panoptic_head.toml"
TINY = {"levels": 16, "aggregate_widths": (16, 16, 16), "aggregate_depth": 1, "refine_width": 16}
HEIGHT, WIDTH, STEPS = 64, 96, 40
ROAD, BUILDING, VEHICLE = 0, 2, 5
COLOUR = {ROAD: (90, 90, 90), BUILDING: (200, 120, 40), VEHICLE: (20, 60, 230)}


def frame(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """RGB image [H, W, 3] and classes [H, W]: a house over a road, and a car somewhere; each class has its colour."""
    rng = np.random.default_rng(seed)
    classes = np.full((HEIGHT, WIDTH), ROAD, np.uint8)
    classes[: int(rng.integers(24, 40))] = BUILDING
    top, first = rng.integers(16, 36), rng.integers(0, 56)
    classes[top : top + 24, first : first + 36] = VEHICLE
    image = np.zeros((HEIGHT, WIDTH, 3)) + [[COLOUR[int(c)] for c in row] for row in classes]
    return (image + rng.normal(0, 8, image.shape)).clip(0, 255).astype(np.uint8), classes


def write_camvid(root: Path, split: str, count: int) -> None:
    """Frames in CamVid's own folders and ids."""
    camvid_id = {ROAD: 3, BUILDING: 1, VEHICLE: 8}
    (root / split).mkdir(parents=True)
    for index in range(count):
        image, classes = frame(index + 100 * len(split))
        stored = np.vectorize(camvid_id.get)(classes).astype(np.uint8)
        cv2.imwrite(str(root / split / f"{index}.png"), image[..., ::-1])
        cv2.imwrite(str(root / split / f"{index}_semantic.png"), stored)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """CamVid-like frames in camvid/, frames with instances in frames/, weights to start from in start.pt."""
    root = tmp_path_factory.mktemp("head")
    write_camvid(root / "camvid", "train", 4)
    write_camvid(root / "camvid", "val", 2)
    for index in range(2):
        image, classes = frame(50 + index)
        cars = np.where(classes == VEHICLE, 3, 0).astype(np.uint16)
        write_frame(
            root / "frames", index, TrueFrame(image, image, np.zeros((HEIGHT, WIDTH), np.float32), classes, cars)
        )
    torch.manual_seed(0)
    network = depth_models.build("stereo_s", **TINY)
    depth_models.save_weights(root / "start.pt", "stereo_s", network, TINY, recipe="a run on pairs", steps=7)
    return root


def train(folder: Path, out: Path, *more: str) -> None:
    mix = f'mix=[{{dataset="plain",root="{folder / "frames"}",classes_only=true,batch=1}}]'
    sizes = (
        "data.batch=3",
        f"data.height={HEIGHT}",
        f"data.width={WIDTH}",
        "data.augmented=false",
        "optimiser.ema_decay=0.9",
    )
    tiny = [
        f"network.config.{name}={list(value) if isinstance(value, tuple) else value}" for name, value in TINY.items()
    ]
    texts = (
        *(f"data.root={folder / 'camvid'}", f"network.start_weights={folder / 'start.pt'}", mix, *sizes, *tiny),
        *("schedule.minutes=0.0", f"schedule.steps={STEPS}", "log.every_steps=1", "log.tensorboard=false"),
    )
    overrides = [part for text in texts for part in ("--set", text)]
    threads = torch.get_num_threads()
    PROGRAM.run(["train", str(CONFIG), "--out", str(out), "--threads", "1", *overrides, *more])
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def finished(folder) -> Path:
    train(folder, folder / "run")
    return folder / "run"


def test_the_cross_entropy_of_held_out_frames_falls_and_their_classes_are_found(finished):
    lines = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    first, last = (line for line in lines if line["kind"] == "validation")
    assert last["loss"] < 0.7 * first["loss"]
    assert last["pixel_accuracy"] > first["pixel_accuracy"]
    metrics = json.loads((finished / "metrics.json").read_text())["validation"]
    assert {"loss", "miou", "pixel_accuracy", "iou_road", "iou_building", "iou_vehicle"} == set(metrics)
    assert metrics["miou"] == pytest.approx(np.mean([metrics[f"iou_{n}"] for n in ("road", "building", "vehicle")]))
    trained = [line for line in lines if line["kind"] == "train"]
    assert [line["step"] for line in trained] == list(range(1, STEPS + 1))
    assert all(line["offset"] > 0 for line in trained)  # of the frames that know their instances


def test_nothing_but_the_head_changes(finished, folder):
    before, after = (
        torch.load(path, weights_only=True)["weights"] for path in (folder / "start.pt", finished / "weights.pt")
    )
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert {name.split(".")[0] for name in changed} == {"panoptic"}
    state = torch.load(finished / "last.pt", weights_only=True)
    for weights in (state["weights"], state["ema"]):
        frozen = {name: value for name, value in weights.items() if not name.startswith("panoptic.")}
        assert all(torch.equal(value, before[name].to(value.dtype)) for name, value in frozen.items())


def test_the_weights_tell_both_trainings(finished):
    metadata = depth_models.load_weights(finished / "weights.pt")[2]
    assert (metadata["data"], metadata["steps"]) == ("camvid + plain", STEPS)
    assert metadata["recipe"]["loss"]["objective"] == "panoptic"
    assert metadata["started_from"] == {"recipe": "a run on pairs", "steps": 7}


def test_a_run_in_two_boxes_ends_where_one_run_does(finished, folder):
    train(folder, folder / "boxes", "--minutes", "0")
    assert json.loads((folder / "boxes" / "metrics.json").read_text())["steps"] == 1
    train(folder, folder / "boxes", "--resume")
    straight, resumed = (torch.load(run / "last.pt", weights_only=True) for run in (finished, folder / "boxes"))
    assert resumed["state"]["step"] == STEPS
    for name, value in straight["ema"].items():
        assert torch.equal(value, resumed["ema"][name]), name
