# SPDX-License-Identifier: Apache-2.0
"""`all`: from a weights file to every file that a robot may run: FP32, FP16, INT8 and engines."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from depth_models import load_weights
from depth_runtime.backends import BackendError
from depth_runtime.backends.cuda_runtime import cuda_missing
from depth_runtime.backends.engine_cache import EngineCache
from depth_runtime.backends.tensorrt_api import MODULES, TensorRt, library_missing
from depth_runtime.backends.tensorrt_build import cached_engine
from depth_runtime.build_engine import add_gpus, engine_keys
from depth_runtime.command_line import path_argument
from depth_runtime.tables import markdown_table

from . import export_command, half_command, quantize_command

log = logging.getLogger(__name__)

# Suffix of the file's name -> what `quantize --target` says; the engines are made of the last three.
INT8 = {"_int8": "cpu", "_int8_tensorrt": "tensorrt"}
FOR_ENGINES = ("", "_fp16", "_int8_tensorrt")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    export_command.add_source(parser)
    parser.add_argument("--out", type=path_argument, required=True, help="folder to write; engines lie in OUT/engines")
    half_command.add_gate(parser)
    quantize_command.add_gate(parser, required=False)
    parser.add_argument("--size", default="default", help="input of the engines: WIDTHxHEIGHT, or default")
    add_gpus(parser)


@dataclass
class Summary:
    """What became of each step, in order: (step, file or folder, outcome)."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def attempt(self, step: str, path: Path, make: Callable[[], object]) -> None:
        """Make a file; a gate or library that refuses it ends this step only."""
        log.info("\n%s", step)
        try:
            make()
            self.made(step, path)
        except (BackendError, ValueError) as error:
            log.info("refused: %s", error)
            self.rows.append((step, path.name, "refused, see above"))
            self.refused.append(step)

    def made(self, step: str, path: Path) -> None:
        """Note a file that is there now."""
        self.rows.append((step, path.name, f"{path.stat().st_size / 1e6:.2f} MB"))

    def skip(self, step: str, reason: str) -> None:
        """Note why a step cannot be done here."""
        self.rows.append((step, "", f"skipped: {reason}"))

    def table(self) -> str:
        """One row for each step."""
        return markdown_table(("step", "file", "outcome"), self.rows, text_columns=range(3))


def run(arguments: argparse.Namespace) -> None:
    """Write all files and print the summary.

    Raises ValueError at the end when a gate or library refused a step, at once when the weights cannot be exported.
    """
    source = export_command.source_of(arguments)
    name = source.name or load_weights(source.weights)[1]
    files = {suffix: arguments.out / f"{name}{suffix}.onnx" for suffix in ("", "_fp16", *INT8)}
    summary = Summary()
    export_command.export_weights(source, files[""])
    summary.made("export", files[""])
    for suffix in ("_fp16", *INT8):
        files[suffix].unlink(missing_ok=True)  # of an earlier run, of other weights
    half = (files[""], files["_fp16"], arguments.half_slack)
    summary.attempt("halve", files["_fp16"], lambda: half_command.halve_file(*half))
    wish = quantize_command.quantisation_of(arguments)
    for suffix, target in INT8.items():
        step = f"quantize for {target}"
        if arguments.calibration is None:
            summary.skip(step, "no --calibration pairs")
            continue
        what = (files[""], files[suffix], target, wish)
        summary.attempt(step, files[suffix], lambda what=what: quantize_command.quantize_model(*what))
    engines = [files[suffix] for suffix in FOR_ENGINES]
    _build(engines, arguments.out / "engines", arguments.size, arguments.compute_capability, summary)
    log.info("\n%s", summary.table())
    if summary.refused:
        raise ValueError(f"expected every step to pass, got {summary.refused} refused; see the reasons above")


def _build(files: list[Path], folder: Path, size: str, capabilities: list[str], summary: Summary) -> None:
    cache = EngineCache(folder)
    for flavour in MODULES:
        # Only tensorrt_rtx builds for a GPU that is not here.
        named = capabilities if flavour == "tensorrt_rtx" else []
        if reason := library_missing(flavour) or ("" if named else cuda_missing()):
            summary.skip(f"{flavour} engines", reason)
            continue
        api = TensorRt.load(flavour)
        for path in filter(Path.is_file, files):
            for key in engine_keys(api, path, size, named):
                plan = cache.paths(key)[0]
                step = f"{flavour} engine of {path.name}"
                summary.attempt(step, plan, lambda path=path, key=key, api=api: cached_engine(api, path, key, cache))
