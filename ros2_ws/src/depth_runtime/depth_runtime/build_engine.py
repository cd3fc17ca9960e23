# SPDX-License-Identifier: Apache-2.0
"""`build-engine`: contract ONNX file -> TensorRT engines in a cache folder, so that no robot builds when it starts."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from .backends import BackendError
from .backends.cuda_runtime import Gpu, cuda_missing, current_gpu
from .backends.engine_cache import EngineCache, EngineKey
from .backends.tensorrt_api import MODULES, TensorRt
from .backends.tensorrt_build import cached_engine, engine_key
from .command_line import path_argument
from .onnx_file import read_spec
from .plan import parse_size
from .zoo import resolve_model

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--model", required=True, help="zoo name or contract ONNX file")
    parser.add_argument("--flavour", choices=sorted(MODULES), required=True, help="library that will run the engine")
    parser.add_argument("--size", default="default", help="network input: WIDTHxHEIGHT, or default = the model's own")
    parser.add_argument(
        "--cache", type=path_argument, help="as the node's engine_cache_dir (default: ~/.cache/depth_stack/engines)"
    )
    add_gpus(parser)


def add_gpus(parser: argparse.ArgumentParser) -> None:
    """Option that names GPUs that are not here."""
    parser.add_argument(
        "--compute-capability",
        action="append",
        default=[],
        metavar="N.N",
        help="GPU to build for, like 8.6 (tensorrt_rtx only; no GPU is needed then); repeatable "
        "(default: the GPU of this machine)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Build what is missing in the cache and say where each engine lies."""
    path = resolve_model(arguments.model)
    cache = EngineCache(arguments.cache or "")
    api = TensorRt.load(arguments.flavour)
    for key in engine_keys(api, path, arguments.size, arguments.compute_capability):
        plan = cached_engine(api, path, key, cache)
        log.info("%s: %.1f MB for compute capability %s", cache.paths(key)[0], len(plan) / 1e6, key.capability)


def engine_keys(api: TensorRt, path: Path, size_text: str, capabilities: Sequence[str] = ()) -> list[EngineKey]:
    """Keys of the engines of a contract file, for the GPU of this machine or for those of `capabilities`.

    size_text: "default" or "WIDTHxHEIGHT". Raises BackendError or ValueError for what cannot be built here.
    """
    spec = read_spec(path)
    size = parse_size(size_text, spec.default_size)
    if size is None or any(side % spec.size_multiple for side in size):
        raise ValueError(
            f"expected --size default or WIDTHxHEIGHT in multiples of {spec.size_multiple}, got '{size_text}'"
        )
    if not capabilities:
        if missing := cuda_missing():
            raise BackendError(f"{missing}; or name --compute-capability with --flavour tensorrt_rtx")
        return [engine_key(api, path, size, current_gpu())]
    if not api.portable:
        raise BackendError(
            f"expected no --compute-capability with {api.flavour}, which builds for the GPU of the machine it runs on; "
            "build on the robot, or with --flavour tensorrt_rtx"
        )
    return [engine_key(api, path, size, Gpu("", capability)) for capability in capabilities]
