# SPDX-License-Identifier: Apache-2.0
"""Find a network file by its zoo name or by its path."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from .spec import SpecError

PACKAGE = "depth_zoo"


def zoo_folders() -> list[Path]:
    """Folders that may hold zoo networks, in order of preference, existing ones only.

    DEPTH_ZOO (a path list), the ROS workspaces of AMENT_PREFIX_PATH, this Python's share folder, and the source
    checkout that an editable install runs from.
    """
    roots = [Path(p) for p in os.environ.get("DEPTH_ZOO", "").split(os.pathsep) if p]
    roots += [Path(p) / "share" / PACKAGE for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    roots += [Path(prefix) / "share" / PACKAGE for prefix in (sys.prefix, site.getuserbase())]
    roots += [parent / "models" / "zoo" for parent in Path(__file__).resolve().parents[3:5]]
    return [root for root in roots if root.is_dir()]


def resolve_model(model: str) -> Path:
    """Path of the ONNX file for a zoo name ("stereo_s") or a path ("/data/mine.onnx").

    Raises SpecError when there is none; for a name the message lists the names that exist.
    """
    if not model:
        raise SpecError("expected a zoo name or the path of an ONNX file, got an empty model parameter")
    if model.endswith(".onnx") or os.sep in model:
        path = Path(model).expanduser()
        if not path.is_file():
            raise SpecError(f"expected an ONNX file, got no file at {path}; check the model parameter")
        return path
    folders = zoo_folders()
    for folder in folders:
        path = folder / model / f"{model}.onnx"
        if path.is_file():
            return path
    known = sorted(
        {path.stem for folder in folders for path in folder.glob("*/*.onnx") if path.stem == path.parent.name}
    )
    raise SpecError(
        f"expected a zoo network among {known}, got '{model}'; searched {[str(f) for f in folders]}; "
        "give the path of an .onnx file or set DEPTH_ZOO to the folder that holds the networks"
    )
