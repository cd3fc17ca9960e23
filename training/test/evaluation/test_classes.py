# SPDX-License-Identifier: Apache-2.0
"""Classes and instances of whole data sets in the evaluation."""

import json

import cv2
import numpy as np
import pytest
from depth_models import LABELS
from depth_runtime.spec import Label, ModelSpec
from depth_training.cli import PROGRAM
from depth_training.data import Sample
from depth_training.evaluation.evaluate import evaluate
from depth_training.evaluation.method import Prediction
from depth_training.evaluation.methods import PipelineMethod, make_method
from depth_training.evaluation.report import as_json, class_markdown, markdown, summarise
from depth_training.evaluation.sgbm import SgbmMethod
from depth_training.evaluation.sheets import sheet
from tiny_files import write_image

ROAD, BUILDING, VEHICLE, SKY = 0, 2, 5, 7
IMAGE = np.full((10, 20, 3), 90, np.uint8)
PAIR = {"left": IMAGE, "right": IMAGE}


def frame(name, semantic, instance=None, stereo=False):
    """A sample of 10 x 20 px with labels; a pair has a disparity of 4 px."""
    fields = {"right": IMAGE, "disparity_px": np.full((10, 20), 4, np.float32)} if stereo else {}
    return Sample(IMAGE, semantic=semantic, instance=instance, name=name, **fields)


def maps(rows):
    """uint8 [10, 20] of one class per row."""
    return np.repeat(np.array(rows, np.uint8)[:, None], 20, 1)


class Segmenter:
    """Predicts the given class and instance maps in turn, and remembers what it was asked."""

    inputs = ("left", "right")
    maps = frozenset(("semantic", "instance"))

    def __init__(self, semantic, instance):
        self.semantic, self.instance, self.asked = semantic, instance, []

    def __call__(self, images, maps=()):
        self.asked.append((images["left"] is images["right"], sorted(maps)))
        disparity = np.full(images["left"].shape[:2], 4, np.float32)
        instance = self.instance if "instance" in maps else None
        return Prediction(disparity, semantic=self.semantic if "semantic" in maps else None, instance=instance)


class Blind(Segmenter):
    """Knows no classes."""

    maps = frozenset()


def test_counts_are_summed_over_the_set_before_any_mean():
    prediction = maps([SKY] * 4 + [ROAD] * 6)
    frames = [frame("a", maps([SKY] * 4 + [ROAD] * 6)), frame("b", maps([SKY] * 2 + [BUILDING] * 2 + [255] * 6))]
    method = Segmenter(prediction, None)
    score = evaluate({"street": frames}, {"m": method}).classes["street", "m"]
    # sky: 4 + 2 rows of 4 + 4; road 6 of 6; building 0 of 2. Means of frames would be (100 + 25) / 2.
    details = score.details()
    assert details["iou"] == {"road": 100, "building": 0, "sky": 75}
    assert details["miou"] == pytest.approx(175 / 3)
    assert details["pixel_accuracy"] == pytest.approx(100 * 12 / 14)
    assert (details["frames"], details["frames_with_instances"], details["one_view"]) == (2, 0, True)
    assert np.isnan(details["pq"])
    assert np.sum(details["confusion"]) == 14 * 20
    assert method.asked == [(True, ["semantic"])] * 3  # one more call for the new size


def test_panoptic_quality_is_summed_over_the_set():
    cars = np.zeros((10, 20), np.uint16)
    cars[8:, :5], cars[8:, 10:15] = 1, 2
    truth = np.where(cars > 0, VEHICLE, ROAD).astype(np.uint8)
    prediction = np.where(cars == 2, 0, cars)
    semantic = np.where(prediction > 0, VEHICLE, ROAD).astype(np.uint8)
    one = np.where(cars == 1, cars, 0).astype(np.uint16)
    only_one = np.where(one > 0, VEHICLE, ROAD).astype(np.uint8)
    only_one[:2, :5] = 255
    prediction[:2, :5], semantic[:2, :5] = 7, VEHICLE  # on unlabelled truth
    truth[:2, :5] = 255
    frames = [frame("a", truth, cars, True), frame("b", only_one, one, True)]
    evaluation = evaluate({"street": frames}, {"m": Segmenter(semantic, prediction), "blind": Blind(None, None)})
    details = evaluation.classes["street", "m"].details()
    # Three true cars, two of them found and exact: 2 / (2 + 1 / 2), where a mean of frames would be (2 / 3 + 1) / 2.
    assert details["pq_things"] == pytest.approx(80)
    assert details["sq_things"] == 100
    road = (170 / 180 + 1) / 2
    assert details["quality"]["road"]["pq"] == pytest.approx(100 * road)
    assert details["pq"] == pytest.approx(100 * (0.8 + road) / 2)
    assert list(evaluation.classes) == [("street", "m")]
    assert [row["method"] for row in evaluation.rows] == ["m", "blind"] * 2
    table = class_markdown(evaluation)
    assert "| labelled set (frames) | method | mIoU % | pixels right % | PQ % | PQ things | PQ stuff |" in table
    assert "| street (2) | m |" in table
    summary = summarise(evaluation)
    written = json.loads(json.dumps(as_json(evaluation, summary, {}), allow_nan=False))
    assert written["classes"][0]["quality"]["vehicle"]["rq"] == pytest.approx(80)


def test_single_frames_are_for_methods_that_know_classes():
    frames = {"street": [frame("a", maps([ROAD] * 10))]}
    evaluation = evaluate(frames, {"blind": Blind(None, None), "m": Segmenter(maps([ROAD] * 10), None)})
    assert evaluation.rows == []
    assert markdown(summarise(evaluation)) == ""
    assert "| street (1, left view for both eyes) | m | 100.0 | 100.0 |" in class_markdown(evaluation)
    with pytest.raises(ValueError, match=r"knows classes for 'a', got \['blind'\]"):
        evaluate(frames, {"blind": Blind(None, None)})
    with pytest.raises(ValueError, match="no right view in 'none'"):
        evaluate({"street": [Sample(IMAGE, name="none")]}, {"m": Segmenter(None, None)})


class FixedBackend:
    """Classes and instances that depend on nothing, under any labels."""

    name, device, fallback_reason = "fixed", "here", ""
    confidence = None

    def __init__(self, labels):
        outputs = {"disparity": 1, "semantic": 1, "instance_center": 1, "instance_offset": 1}
        self.spec = ModelSpec("fixed", "1", "stereo", 1, (10, 20), outputs, 64.0, labels=labels)

    def prepare(self, size):
        self.size = size
        return {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}

    def infer(self, outputs):
        shape = (1, *self.size)
        maps = {"disparity": np.full(shape, 4, np.float32), "semantic": np.full(shape, VEHICLE, np.uint8)}
        heat = np.zeros(shape, np.float32)
        heat[0, 5, 5] = 1
        maps["confidence"] = self.confidence
        maps |= {"instance_center": heat, "instance_offset": np.zeros((1, 2, *self.size), np.float32)}
        return {name: maps[name] for name in outputs}


def test_classes_of_another_list_are_not_scored():
    ours = PipelineMethod(FixedBackend(LABELS), "source")
    assert ours.maps == {"semantic", "instance"}
    prediction = ours(PAIR, ours.maps)
    assert (prediction.semantic == VEHICLE).all()
    assert (prediction.instance == 1).all()
    assert (prediction.confidence, prediction.parts) == (None, {})
    assert ours(PAIR).semantic is None
    others = PipelineMethod(FixedBackend((Label(0, "floor", (1, 2, 3)),)), "source")
    assert others.maps == frozenset()
    assert SgbmMethod("", 1).maps == frozenset()


def test_a_part_of_the_prediction_is_what_the_network_calls_sure():
    backend = FixedBackend(LABELS)
    backend.spec.outputs["confidence"] = 1
    backend.confidence = np.where(np.arange(20) < 5, np.float32(0.75), np.float32(0.25))[None, None].repeat(10, 1)
    prediction = PipelineMethod(backend, "source")(PAIR)
    assert (prediction.confidence == backend.confidence[0]).all()
    (sure,) = prediction.parts.values()
    assert (sure == (np.arange(20) < 5)).all()


def test_the_network_size_is_that_of_the_command():
    method = PipelineMethod(FixedBackend(LABELS), "40x30")
    prediction = method(PAIR, {"semantic"})
    assert prediction.semantic.shape == (10, 20)
    assert prediction.disparity_px[0, 0] == 2  # 4 px at twice the width
    with pytest.raises(ValueError, match="network_size"):
        PipelineMethod(FixedBackend(LABELS), "large")


def test_sheets_show_classes_where_they_are_known(tmp_path):
    semantic = maps([SKY] * 5 + [255] * 5)
    instance = np.zeros((10, 20), np.uint16)
    instance[7:9, 3:8] = 300
    prediction = Prediction(np.full((10, 20), 4, np.float32), semantic=semantic, instance=instance)
    pair, single = frame("a", semantic, instance, True), frame("b", semantic)
    assert sheet(pair, {"m": prediction, "n": Prediction(prediction.disparity_px)}).shape == (240, 6 * 480, 3)
    assert sheet(single, {"m": prediction}).shape == (240, 3 * 480, 3)
    tiles = sheet(single, {"m": prediction})
    shown = cv2.resize(tiles[:, -480:], (20, 10), interpolation=cv2.INTER_AREA)
    assert shown[0, 0].tolist() == pytest.approx([0.4 * 90 + 0.6 * c for c in LABELS[SKY].color], abs=1)
    assert shown[9, 19].tolist() == [36, 36, 36]  # unlabelled is darkened
    assert shown[6, 3].tolist() == [255] * 3
    assert shown[8, 5].tolist() == [36] * 3


def test_the_default_network_sees_classes_with_the_left_eye_alone():
    """So a single frame, shown to both eyes, gets the classes that it has as part of a pair."""
    left, right = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    left[:32] //= 4
    _, method = make_method("zoo:stereo_s", 1)
    pair, single = (method({"left": left, "right": eye}, {"semantic"}) for eye in (right, left))
    assert (pair.semantic == single.semantic).all()
    assert len(np.unique(single.semantic)) > 1
    assert np.abs(pair.disparity_px - single.disparity_px).max() > 1


def test_camvid_by_command(tmp_path, capsys):
    semantic = np.full((64, 96), 3, np.uint8)  # CamVid's road
    write_image(tmp_path / "val/a.png", np.full((64, 96, 3), 80, np.uint8))
    write_image(tmp_path / "val/a_semantic.png", semantic)
    outputs = ["--json", str(tmp_path / "t.json"), "--pictures", str(tmp_path / "sheets"), "--size", "128x64"]
    PROGRAM.run(["evaluate", f"camvid={tmp_path}@val", "--method", "zoo:stereo_s", "--threads", "1", *outputs])
    assert capsys.readouterr().out.startswith("| labelled set (frames) | method | mIoU % | pixels right % |\n")
    (details,) = json.loads((tmp_path / "t.json").read_text())["classes"]
    assert list(details["iou"]) == ["road"]
    assert cv2.imread(str(tmp_path / "sheets/camvid_a.png")).shape[1] == 3 * 480
