# SPDX-License-Identifier: Apache-2.0
"""Real TensorRT-RTX engines, built on the CPU: every zoo network parses and builds, and the cache keeps its rules."""

import json
import logging
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from depth_export.cli import main
from depth_export.matched_pair import matched_pair
from depth_export.probe import probe_spec, write_probe
from depth_runtime.backends import BackendError, available_backends, make_backend, tensorrt_build
from depth_runtime.backends.cuda_runtime import Gpu, cuda_missing
from depth_runtime.backends.engine_cache import EngineCache
from depth_runtime.backends.plain_weights import plain_weights, precision_of
from depth_runtime.backends.tensorrt_api import TensorRt, library_missing
from depth_runtime.backends.tensorrt_build import build_engine, cached_engine, engine_key
from depth_runtime.onnx_file import read_spec
from depth_runtime.spec import METADATA_KEY
from depth_runtime.zoo import resolve_model

needs_rtx = pytest.mark.skipif(bool(library_missing("tensorrt_rtx")), reason=library_missing("tensorrt_rtx"))
# Every file of the folder, so that no new one is forgotten.
ZOO = sorted((Path(__file__).parents[2] / "models" / "zoo").glob("*/*.onnx"))
QUANTISED = {path: read_spec(path).training.get("quantisation") for path in ZOO}
FOR_CPUS = [path for path, metadata in QUANTISED.items() if metadata and metadata.get("target", "cpu") == "cpu"]
FP32 = [path for path in ZOO if precision_of(plain_weights(path.read_bytes())) == "fp32"]
RTX = ("--flavour", "tensorrt_rtx")
ADA = Gpu("", "8.9")
SIZE = (192, 320)


@pytest.fixture(scope="module")
def rtx():
    return TensorRt.load("tensorrt_rtx")


@pytest.fixture
def probe(tmp_path):
    return write_probe(tmp_path / "probe.onnx")


def name_of(path):
    return path.stem


@needs_rtx
@pytest.mark.parametrize("path", [path for path in ZOO if path not in FOR_CPUS], ids=name_of)
def test_every_zoo_network_becomes_an_engine_by_command(path, tmp_path, caplog):
    command = ["build-engine", *RTX, "--model", str(path), "--size", "320x192", "--cache", str(tmp_path)]
    command += ["--compute-capability", "8.6"]
    assert main(command) == 0
    (plan,) = tmp_path.glob("*.plan")
    metadata = json.loads(plan.with_suffix(".json").read_text())
    assert metadata["plan_bytes"] == plan.stat().st_size > 100_000
    assert metadata["key"]["shapes"]["left"] == [1, 192, 320, 3]
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert main(command) == 0
    assert "building" not in caplog.text


@needs_rtx
@pytest.mark.parametrize("path", FOR_CPUS, ids=name_of)
def test_a_network_quantised_for_cpus_is_refused_with_the_remedy(rtx, path):
    with pytest.raises(BackendError, match="quantize with --target tensorrt, or take FP32 or FP16"):
        build_engine(rtx, path, engine_key(rtx, path, SIZE, ADA))


@needs_rtx
def test_a_build_tells_how_far_it_is(rtx, monkeypatch, caplog):
    monkeypatch.setattr(tensorrt_build, "REPORT_S", 0.1)
    path = resolve_model("stereo_s")
    with caplog.at_level(logging.INFO):
        build_engine(rtx, path, engine_key(rtx, path, SIZE, ADA))
    assert re.search(r"building stereo_s-320x192\S+: \d+ s \(.+, \d+ of \d+\)", caplog.text)


@needs_rtx
@pytest.mark.parametrize("damage", ["truncated", "plan of another size", "other version", "other network"])
def test_a_plan_that_is_not_what_is_asked_for_is_built_again(rtx, probe, tmp_path, damage):
    cache, key = EngineCache(tmp_path / "cache"), engine_key(rtx, probe, SIZE, ADA)
    whole = cached_engine(rtx, probe, key, cache)
    plan, description = cache.paths(key)
    if damage == "truncated":
        plan.write_bytes(whole[: len(whole) // 2])
    elif damage == "plan of another size":
        plan.write_bytes(build_engine(rtx, probe, engine_key(rtx, probe, (384, 640), ADA)))
    else:
        known, foreign = (rtx.version, "1.0.0") if damage == "other version" else (key.onnx_sha256, "0" * 64)
        description.write_text(description.read_text().replace(known, foreign))
    assert cache.find(key)[0] is None
    built = cached_engine(rtx, probe, key, cache)
    assert EngineCache(cache.folder).find(key)[0] == plan.read_bytes() == built


@needs_rtx
def test_a_folder_that_cannot_be_written_still_gives_an_engine_and_is_named(rtx, probe, tmp_path, caplog):
    folder = tmp_path / "file" / "cache"  # root may write anywhere but below a file
    (tmp_path / "file").touch()
    plan = cached_engine(rtx, probe, engine_key(rtx, probe, SIZE, ADA), EngineCache(folder))
    assert len(plan) > 1000
    assert f"engines cannot be stored in {folder}" in caplog.text


@needs_rtx
def test_another_network_of_the_same_name_gets_its_own_engine(rtx, probe, tmp_path):
    cache = EngineCache(tmp_path)
    keys = [engine_key(rtx, probe, SIZE, ADA)]
    cached_engine(rtx, probe, keys[0], cache)
    write_probe(probe, replace(probe_spec(), version="2"))
    keys.append(engine_key(rtx, probe, SIZE, ADA))
    assert cache.find(keys[1])[0] is None
    cached_engine(rtx, probe, keys[1], cache)
    assert all(cache.find(key)[0] for key in keys)


@needs_rtx
def test_two_processes_build_one_engine(probe, tmp_path):
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "depth_runtime", "build-engine", *RTX, "--model", str(probe)]
    command += ["--compute-capability", "8.6", "--cache", str(cache)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    words = "".join(process.communicate(timeout=1800)[1] for process in processes)
    assert [process.returncode for process in processes] == [0, 0], words
    assert words.count("built probe-640x384") == 1
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".lock", ".plan"]


@needs_rtx
def test_what_the_library_cannot_parse_is_told_in_its_words(rtx, tmp_path):
    path = write_probe(tmp_path / "odd.onnx")
    model = onnx.load(path)
    model.graph.node[0].op_type = "Hardswoosh"
    onnx.save(model, path)
    with pytest.raises(BackendError, match=r"cannot parse .*odd\.onnx: .*Hardswoosh"):
        build_engine(rtx, path, engine_key(rtx, path, SIZE, ADA))


@needs_rtx
def test_a_graph_of_other_inputs_than_its_spec_names_is_refused(rtx, probe):
    model = onnx.load(probe)
    spec = replace(probe_spec(), inputs=("left", "right", "regions"))
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    onnx.save(model, probe)
    with pytest.raises(
        BackendError, match=r"inputs \['left', 'regions', 'right'\] .* got \['left', 'right'\] .*probe\.onnx"
    ):
        build_engine(rtx, probe, engine_key(rtx, probe, SIZE, ADA))


@needs_rtx
def test_a_gpu_that_the_library_does_not_serve_is_refused_with_those_it_serves(probe, tmp_path, capsys):
    options = ["--compute-capability", "9.0", "--cache", str(tmp_path)]
    assert main(["build-engine", *RTX, "--model", str(probe), *options]) == 1
    assert "'8.6', '8.9'" in capsys.readouterr().err


@pytest.mark.skipif(not cuda_missing(), reason="this machine has a GPU")
@pytest.mark.parametrize("flavour", ["tensorrt", "tensorrt_rtx"])
def test_without_a_gpu_an_engine_falls_back_to_the_cpu_and_says_why(flavour, probe):
    backend = make_backend(probe, flavour, threads=1)
    assert backend.name == "onnxruntime-cpu"
    assert backend.fallback_reason.startswith(f"{flavour} was asked for, but ")
    assert available_backends()[flavour] in backend.fallback_reason


@pytest.mark.parametrize("path", FP32, ids=name_of)
def test_weights_written_out_give_the_same_outputs_to_the_last_bit(path):
    stored = path.read_bytes()
    plain = plain_weights(stored)
    graph = onnx.load_from_string(plain).graph
    kernels = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    assert kernels <= {tensor.name for tensor in graph.initializer}
    images = matched_pair(64, 128)[:2]
    feed = {name: image[None] for name, image in zip(read_spec(path).inputs, images, strict=False)}
    predictions = [onnxruntime.InferenceSession(model).run(None, feed) for model in (stored, plain)]
    for before, after in zip(*predictions, strict=True):
        np.testing.assert_array_equal(before, after)


def test_half_precision_that_the_network_computes_with_is_kept_and_named(probe):
    model = onnx.load(probe)
    model.graph.node[-1].input[1] = "two_zeros_half"
    zeros = next(t for t in model.graph.initializer if t.name == "two_zeros")
    half = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(zeros).astype(np.float16), "two_zeros_half")
    model.graph.initializer.append(half)
    plain = plain_weights(model.SerializeToString())
    assert "two_zeros_half" in {tensor.name for tensor in onnx.load_from_string(plain).graph.initializer}
    assert precision_of(plain) == "fp16"
    assert precision_of(plain_weights(probe.read_bytes())) == "fp32"


def test_bench_times_backends_in_one_run(probe, tmp_path, caplog):
    target = tmp_path / "bench.json"
    with caplog.at_level(logging.INFO):
        options = ["--backend", "onnxruntime-cpu", "--size", "320x192", "--threads", "1", "--rounds", "5"]
        options += ["--model", str(probe), "--model", str(probe), "--json", str(target)]
        assert main(["bench", *options]) == 0
    first, second = json.loads(target.read_text())
    assert 0 < first["p50_ms"] <= first["p95_ms"] <= first["p99_ms"]
    assert first["ratio"] == 1
    assert second["ratio"] == pytest.approx(second["p50_ms"] / first["p50_ms"])
    assert "| probe | CPUExecutionProvider (1 threads) |" in caplog.text
