# SPDX-License-Identifier: Apache-2.0
"""The probe of any task and inputs runs in the runtime, and a graph that is not what its spec says does not."""

import re
from dataclasses import replace

import numpy as np
import onnx
import pytest
from depth_export.probe import mono_probe_spec, probe_spec, write_probe
from depth_runtime.backends import BackendError, make_backend
from depth_runtime.bench import time_backends
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import MonoPipeline, StereoPipeline
from depth_runtime.spec import METADATA_KEY
from onnx import TensorProto

REGIONS = ("left", "right", "regions")


def images(names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Random images by name, 48 x 64 px, of the classes that the probe knows."""
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (48, 64, 3), np.uint8) for name in names}
    for picture in pictures.values():
        picture[..., 2] = rng.integers(0, 3, (48, 64))
        picture[..., 1] = 0
        picture[20:28, 20:28, 1] = 255
    return pictures


def backend_of(path):
    return make_backend(path, "onnxruntime-cpu", threads=1)


def test_a_network_of_one_image_gives_depth_and_classes(tmp_path):
    path = write_probe(tmp_path / "mono.onnx", mono_probe_spec(canonical_focal_px=400.0))
    assert (read_spec(path).task, read_spec(path).inputs) == ("mono", ("image",))
    view = images(("image",))
    result = MonoPipeline(backend_of(path)).process(view)
    np.testing.assert_allclose(result.depth_m(600.0), view["image"][..., 0] / 2 * 1.5, rtol=1e-5)
    np.testing.assert_allclose(result.confidence, view["image"][..., 1] / 255, atol=1e-6)
    np.testing.assert_array_equal(result.panoptic.semantic, view["image"][..., 2])
    assert result.panoptic.instance.max() >= 1
    assert result.panoptic.instance.shape == (48, 64)


def test_a_network_of_regions_runs_where_they_are_given(tmp_path):
    path = write_probe(tmp_path / "regions.onnx", replace(probe_spec(), inputs=REGIONS))
    views = images(REGIONS)
    result = StereoPipeline(backend_of(path), given=REGIONS).process(views)
    np.testing.assert_allclose(result.disparity_px, views["left"][..., 0] / 2)
    np.testing.assert_allclose(result.confidence, views["regions"][..., 1] / 255, atol=1e-6)
    with pytest.raises(ValueError, match="nothing here gives 'regions'"):
        StereoPipeline(backend_of(path))


def test_networks_of_any_inputs_are_timed_together(tmp_path):
    specs = {"stereo": probe_spec(), "mono": mono_probe_spec(), "regions": replace(probe_spec(), inputs=REGIONS)}
    loaded = [(n, backend_of(write_probe(tmp_path / f"{n}.onnx", spec))) for n, spec in specs.items()]
    timings = time_backends(loaded, "64x32", None, rounds=2)
    assert [timing.model for timing in timings] == list(specs)


def with_spec(path, spec):
    """The file at path under another spec."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("graph", "named"), [(REGIONS, REGIONS[:2]), (REGIONS[:2], REGIONS)])
def test_a_graph_of_other_inputs_than_its_spec_names_is_refused(tmp_path, graph, named):
    path = with_spec(
        write_probe(tmp_path / "odd.onnx", replace(probe_spec(), inputs=graph)), replace(probe_spec(), inputs=named)
    )
    expected, got = (re.escape(str(sorted(names))) for names in (named, graph))
    with pytest.raises(
        BackendError, match=rf"inputs {expected} .* as its spec says, got {got} .* in .*odd\.onnx; export"
    ):
        backend_of(path)


def test_inputs_may_stand_in_another_order_than_in_the_spec(tmp_path):
    path = write_probe(tmp_path / "turned.onnx", replace(probe_spec(), inputs=("left", "right")))
    with_spec(path, replace(probe_spec(), inputs=("right", "left")))
    views = images(("left", "right"))
    result = StereoPipeline(backend_of(path)).process(views)
    np.testing.assert_allclose(result.disparity_px, views["left"][..., 0] / 2)
    assert result.view_rgb is views["right"]


def test_a_graph_that_takes_no_bytes_is_refused(tmp_path):
    path = write_probe(tmp_path / "floats.onnx")
    model = onnx.load(path)
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.FLOAT
    onnx.save(model, path)
    with pytest.raises(BackendError, match=r"expected inputs of tensor\(uint8\), got \{'right': 'tensor\(float\)'\}"):
        backend_of(path)
