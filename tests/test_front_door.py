# SPDX-License-Identifier: Apache-2.0
"""`import depth_runtime as ds`: a network as a function, and the example that writes a depth image and a cloud."""

import importlib.util
import os
import subprocess
import sys

import cv2
import depth_runtime as ds
import numpy as np
import pytest
from depth_replay.bags.bag import read_bag
from depth_replay.messages import topics
from depth_replay.messages.definitions import deserialize
from depth_replay.scoring.truth import read_pixels
from depth_runtime.backends import make_backend
from depth_runtime.geometry import depth_from_disparity, depth_millimetres
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

MODEL = "stereo_xs"
CPU = {"backend": "onnxruntime-cpu", "threads": 1}


@pytest.fixture(scope="module")
def pair(repository):
    """First pair of the sample, RGB, and its camera."""
    bag = repository / "samples" / "stereo_sample.mcap"
    images = [topics.compressed(topic) for topic in (topics.LEFT_IMAGE, topics.RIGHT_IMAGE)]
    left, right = (read_pixels(next(iter(read_bag(bag, {name})))) for name in images)
    infos = [next(iter(read_bag(bag, {name}))) for name in (topics.LEFT_INFO, topics.RIGHT_INFO)]
    camera = ds.StereoCamera.from_projections(*(deserialize(m.data, m.msgtype).p for m in infos))
    return left, right, camera


@pytest.fixture(scope="module")
def stereo():
    return ds.load(MODEL, size="320x192", **CPU)


@pytest.fixture(scope="module")
def node_depth_m(pair):
    """What the node computes of the pair at its own size: pipeline, shift of the principal points, depth."""
    left, right, camera = pair
    pipeline = StereoPipeline(make_backend(resolve_model(MODEL), "onnxruntime-cpu", 1))
    result = pipeline.process({"left": left, "right": right})
    shifted_px = result.disparity_px - np.float32(camera.disparity_shift_px)
    return depth_from_disparity(shifted_px, camera.fx, camera.baseline_m)


def test_maps_have_the_images_size_and_say_what_their_numbers_mean(stereo, pair):
    result = stereo(*pair[:2])
    height, width = pair[0].shape[:2]
    kinds = {"disparity_px": np.float32, "confidence": np.float32, "semantic": np.uint8, "instance": np.uint16}
    for name, kind in kinds.items():
        values = getattr(result, name)
        assert (values.shape, values.dtype) == ((height, width), kind), name
    assert "road" in [label.name for label in result.labels]
    assert set(np.unique(result.semantic)) <= {label.id for label in result.labels}
    assert result.instance.any()


def test_a_second_call_leaves_the_first_result_alone(pair):
    stereo = ds.load(MODEL, **CPU)  # at the images' own size the pipeline hands out the network's own buffers
    first = stereo(*pair[:2])
    maps = [getattr(first, name) for name in ("disparity_px", "confidence", "semantic", "instance")]
    kept = [values.copy() for values in maps]
    images = [image.copy() for image in pair[:2]]
    second = stereo(pair[0][::-1], pair[1][::-1])
    assert not np.array_equal(second.disparity_px, first.disparity_px)
    for values, before in zip(maps, kept, strict=True):
        np.testing.assert_array_equal(values, before)
    first.disparity_px[:] = 0  # and they are the caller's to change
    for image, before in zip(pair[:2], images, strict=True):
        np.testing.assert_array_equal(image, before)


def test_depth_is_that_of_the_node(pair, node_depth_m):
    left, right, camera = pair
    depth_m = ds.load(MODEL, **CPU)(left, right).depth_m(camera)
    assert depth_m.dtype == np.float32
    finite = np.isfinite(node_depth_m)
    assert finite.mean() > 0.9
    np.testing.assert_array_equal(np.isfinite(depth_m), finite)
    np.testing.assert_array_equal(depth_m[finite], node_depth_m[finite])


def test_depth_counts_disparity_from_that_of_infinity():
    disparity_px = np.array([[12, 7, 2, np.nan]], np.float32)
    result = ds.StereoPrediction(disparity_px, None, None, None, ())
    camera = ds.StereoCamera(fx=100.0, fy=90.0, cx_left=52.0, cx_right=50.0, cy=40.0, baseline_m=0.5)
    np.testing.assert_array_equal(result.depth_m(camera), np.array([[5, 10, np.nan, np.nan]], np.float32))
    assert disparity_px[0, 0] == 12


def test_the_camera_of_another_image_size_is_refused():
    result = ds.StereoPrediction(np.ones((2, 4), np.float32), None, None, None, ())
    camera = ds.StereoCamera(100.0, 90.0, 2.0, 2.0, 1.0, 0.5, size=(4, 8))
    with pytest.raises(ValueError, match=r"expected the camera of images of 4x2, got one of 8x4; give .*resized"):
        result.depth_m(camera)
    assert result.depth_m(camera.resized((2, 4))).shape == (2, 4)


def test_grey_images_are_images(stereo, pair):
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in pair[:2]]
    coloured = stereo(*(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) for image in grey))
    np.testing.assert_array_equal(stereo(*grey).disparity_px, coloured.disparity_px)


BLACK = np.zeros((32, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (BLACK.astype(np.float32) + 0.5, r"values up to 0\.5; \(image \* 255\)\.round\(\)\.astype\(np\.uint8\)"),
        (BLACK.astype(np.float64) + 200, r"values up to 200; image\.round\(\)\.astype\(np\.uint8\)"),
        (BLACK.astype(np.uint16), r"got uint16 .*scale it to 0\.\.255"),
        (BLACK.transpose(2, 0, 1), r"\[3, 32, 64\]; channels come last: image\.transpose\(1, 2, 0\)"),
        (np.zeros((32, 64, 4), np.uint8), r"alpha channel out: image\[\.\.\., :3\]"),
        (BLACK[None], r"one pair per call, not a batch"),
        (BLACK[:0], r"\[0, 64, 3\]; give an image with pixels"),
        (None, r"give an image"),
        (BLACK[:-1], r"one shape, got \[31, 64, 3\] left and \[32, 64, 3\] right"),
    ],
)
def test_what_is_no_rgb_image_is_refused_with_the_remedy(stereo, image, words):
    with pytest.raises(ValueError, match=words):
        stereo(image, BLACK)


def test_what_cannot_be_loaded_is_told_with_what_can():
    with pytest.raises(ValueError, match=r"zoo network among .*'stereo_s'.*got 'stereo_m'"):
        ds.load("stereo_m")
    with pytest.raises(ValueError, match=r"no file at .*none\.onnx"):
        ds.load("none.onnx")
    with pytest.raises(ValueError, match=r"backend one of .*'onnxruntime-cpu'.*got 'cpu'"):
        ds.load(MODEL, backend="cpu")
    with pytest.raises(ValueError, match=r"'WIDTHxHEIGHT' \(640x384\), got 'big'"):
        ds.load(MODEL, size="big", **CPU)


def test_a_file_is_loaded_as_its_name_is():
    path = resolve_model(MODEL)
    assert ds.load(path, **CPU).spec == ds.load(MODEL, **CPU).spec


def test_importing_the_package_loads_neither_opencv_nor_an_inference_library():
    code = "import sys, depth_runtime; print([m for m in ('numpy', 'cv2', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "[]\n"
    assert {"load", "StereoCamera", "StereoPrediction", "Stereo"} <= set(dir(ds))
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = ds.lod


def test_the_example_writes_the_nodes_depth_and_its_points(repository, pair, node_depth_m, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("two_images", repository / "docs" / "examples" / "two_images.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    left, right, camera = pair
    files = [str(tmp_path / name) for name in ("left.png", "right.png")]
    for path, image in zip(files, (left, right), strict=True):
        cv2.imwrite(path, image[:, :, ::-1])
    numbers = {"--fx": camera.fx, "--fy": camera.fy, "--cx": camera.cx_left, "--cx-right": camera.cx_right}
    numbers |= {"--cy": camera.cy, "--baseline": camera.baseline_m}
    words = [word for name, value in numbers.items() for word in (name, repr(value))]
    example.main([*files, *words, "--model", MODEL, "--out", str(tmp_path / "out")])

    depth = cv2.imread(str(tmp_path / "out" / "depth.png"), cv2.IMREAD_UNCHANGED)
    expected = depth_millimetres(node_depth_m)
    assert (depth.dtype, depth.shape) == (np.uint16, left.shape[:2])
    # Threads of the network may sum in another order: the last bits of a far depth differ.
    near = (expected > 0) & (expected < 20_000)
    assert near.mean() > 0.3
    np.testing.assert_allclose(depth[near], expected[near], atol=2)
    header, _, body = (tmp_path / "out" / "points.ply").read_bytes().partition(b"end_header\n")
    count = int(np.isfinite(node_depth_m).sum())
    assert header.startswith(b"ply\nformat binary_little_endian 1.0\n")
    assert f"element vertex {count}\n".encode() in header
    points = np.frombuffer(body, np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)]))
    assert len(points) == count
    v, u = (axis[0] for axis in np.nonzero(np.isfinite(node_depth_m)))
    z = node_depth_m[v, u]
    ray = ((u - camera.cx_left) / camera.fx, (v - camera.cy) / camera.fy, 1)
    np.testing.assert_allclose(points["xyz"][0], [z * part for part in ray], rtol=1e-3)
    assert points["rgb"][0].tolist() == left[v, u].tolist()
    assert f"{count} points" in capsys.readouterr().out
