# SPDX-License-Identifier: Apache-2.0
"""One image file is one picture for every program: pixels as stored whatever EXIF says, 10 and 12 bits of 16 scaled."""

import csv
import re

import cv2
import numpy as np
import pytest
from depth_replay.bags.bag import read_bag
from depth_replay.cli import main as replay
from depth_replay.messages import topics
from depth_replay.messages.definitions import COMPRESSED, deserialize
from depth_replay.messages.image_codec import decompress
from depth_runtime.color import to_rgb
from depth_runtime.files.disparity_png import read_disparity, write_disparity
from depth_runtime.files.images import images_below, paired_by_name, read_rgb, read_rgb_together
from encoded_images import turned_jpeg

pytest.importorskip("torch")
from depth_export.pairs import read_pairs
from depth_export.probe import write_probe
from depth_training.cli import main as training
from depth_training.data import make_dataset

HEIGHT, WIDTH = 64, 96
NOISE = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8), (WIDTH, HEIGHT))  # RGB
GREY = cv2.cvtColor(NOISE, cv2.COLOR_RGB2GRAY)


def write_pair(folder, contents, suffix):
    """A plain folder of one pair with truth and a calibration, and a list of it."""
    for side, content in zip(("left", "right"), contents, strict=True):
        (folder / side).mkdir(parents=True)
        (folder / side / f"0{suffix}").write_bytes(content)
    write_disparity(folder / "disparity/0.png", np.full((HEIGHT, WIDTH), 6, np.float32))
    (folder / "calibration.json").write_text(
        '{"width": 96, "height": 64, "fx": 50, "fy": 50, "cx_left": 47, "cx_right": 47, "cy": 31, "baseline_m": 0.1}'
    )
    with open(folder / "list.csv", "w", newline="") as file:
        rows = csv.DictWriter(file, ("dataset", "id", "left", "right", "disparity", "focal_px", "baseline_m"))
        rows.writeheader()
        rows.writerow(
            {"dataset": "own", "id": 0, "disparity": "disparity/0.png"}
            | {side: f"{side}/0{suffix}" for side in ("left", "right")}
        )
    return folder


def by_predict(folder, out):
    """Left image by the probe, whose disparity is half of its red."""
    model = write_probe(out / "probe.onnx")
    training(["predict", str(folder / "left"), str(folder / "right"), "--model", str(model), "--out", str(out / "p")])
    red = np.nan_to_num(read_disparity(out / "p/0_disparity.png")) * 2
    return np.repeat(red[..., None], 3, axis=2), None


def by_bag(folder, out):
    assert replay(["images-to-bag", str(folder), "--out", str(out / "bag"), "--compress", "png"]) == 0
    pair = [next(iter(read_bag(out / "bag", {topics.compressed(t)}))) for t in (topics.LEFT_IMAGE, topics.RIGHT_IMAGE)]
    return tuple(to_rgb(*decompress(deserialize(message.data, COMPRESSED)), bits=10) for message in pair)


def of_sample(dataset, root):
    sample = make_dataset(dataset, root, "all" if dataset == "csv" else "train")[0]
    return sample.left, sample.right


# How each program comes by the pixels of a pair: left and right RGB, None where it shows only one.
READERS = {
    "predict": by_predict,
    "images-to-bag": by_bag,
    "plain folders": lambda folder, _: of_sample("plain", folder),
    "lists": lambda folder, _: of_sample("csv", folder / "list.csv"),
    "export": lambda folder, _: tuple(read_pairs(folder)[0].images().values()),
    "other commands": lambda folder, _: read_rgb_together(*paired_by_name(folder / "left", folder / "right")[0]),
    "single views": lambda folder, _: (read_rgb(images_below(folder / "left")[0]), None),
}


@pytest.mark.parametrize("name", READERS)
def test_exif_turns_no_image(name, tmp_path):
    left, right = NOISE, NOISE[:, ::-1]
    folder = write_pair(tmp_path / "pairs", [turned_jpeg(view[..., ::-1], 100) for view in (left, right)], ".jpg")
    for got, expected in zip(READERS[name](folder, tmp_path), (left, right), strict=True):
        if got is not None:
            channels = 1 if name == "predict" else 3  # the probe shows red alone
            assert np.abs(got[..., :channels].astype(float) - expected[..., :channels]).mean() < 4


@pytest.mark.parametrize("name", READERS)
def test_ten_bits_of_sixteen_are_scaled_alike_in_both_eyes(name, tmp_path):
    """The right image is darker: by itself it would use 8 bits."""
    left = GREY.astype(np.uint16) * 4
    left[0, 0] = 1023
    pair = (left, left // 8)
    contents = [cv2.imencode(".png", pixels)[1].tobytes() for pixels in pair]
    folder = write_pair(tmp_path / "pairs", contents, ".png")
    for got, pixels in zip(READERS[name](folder, tmp_path), pair, strict=True):
        if got is not None:
            assert np.abs(got[..., 0].astype(float) - pixels * (255 / 1023)).max() <= 1


def test_one_place_decodes_images(repository):
    """Textures, which belong to no camera, are read apart; every other picture passes one function with its checks."""
    found = {
        str(path.relative_to(repository))
        for room in ("training/depth_training", "export/depth_export", "models/depth_models", "ros2_ws/src")
        for path in (repository / room).rglob("*.py")
        if "/test/" not in str(path) and re.search(r"cv2\.im(read|decode)", path.read_text())
    }
    textures = {f"training/depth_training/synthetic/{name}.py" for name in ("pack", "textures")}
    assert found == textures | {"ros2_ws/src/depth_runtime/depth_runtime/files/encoded.py"}
