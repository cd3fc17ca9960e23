# SPDX-License-Identifier: Apache-2.0
"""The import tables of the house: who may import whom, read from the syntax tree of every package file.

ARROWS is the table of packages, ROOMS that of the folders inside the two large ones; and no modules import each other
in a circle.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

NUMERIC = frozenset({"numpy", "cv2"})
TORCH = frozenset({"torch"})
ROS = frozenset(
    {
        *("rclpy", "builtin_interfaces", "diagnostic_msgs", "geometry_msgs", "lifecycle_msgs"),
        *("rcl_interfaces", "rosgraph_msgs", "sensor_msgs", "std_msgs", "stereo_msgs"),
    }
)
# PyPI has no wheels of these two, so only a robot has them, and a node looks for them when it needs them.
ROBOT_ONLY = frozenset({"cv_bridge", "vision_msgs"})
BACKENDS = frozenset({"onnxruntime", "tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "cuda"})


@dataclass(frozen=True)
class Arrow:
    """What the Python files below `folder` may import besides the standard library and themselves.

    A dotted name admits that module only. `lazily` names may be imported inside functions only.
    """

    folder: str
    allowed: frozenset[str]
    lazily: frozenset[str] = frozenset()


ARROWS = {
    "depth_runtime": Arrow("ros2_ws/src/depth_runtime/depth_runtime", NUMERIC, lazily=BACKENDS | {"simplejpeg"}),
    "depth_nodes": Arrow("ros2_ws/src/depth_nodes/depth_nodes", NUMERIC | ROS | {"depth_runtime"}, ROBOT_ONLY),
    "depth_replay": Arrow(
        "ros2_ws/src/depth_replay/depth_replay",
        NUMERIC | ROS | {"depth_runtime", "mcap", "rosbags", "tqdm"},
        lazily=frozenset({"compression.zstd", "backports.zstd"}),  # the same module before and from 3.14
    ),
    "launch files": Arrow("launch/launch", frozenset({"launch", "launch_ros", "ament_index_python"})),
    "depth_models": Arrow(
        "models/depth_models", NUMERIC | TORCH | {"depth_runtime.spec", "depth_runtime.files.atomic"}
    ),
    "depth_training": Arrow(
        "training/depth_training",
        NUMERIC | TORCH | {"depth_models", "depth_runtime", "tqdm"},
        # onnxruntime to evaluate networks of others beside ours; tomli where Python (3.10) has no tomllib; PIL for TGA
        # and palettes.
        # mask_generator also imports Segment Anything or MobileSAM, by a name that this table cannot see.
        lazily=frozenset({"onnxruntime", "tomllib", "tomli", "matplotlib", "PIL"}),
    ),
    "depth_export": Arrow(
        "export/depth_export",
        NUMERIC | TORCH | {"depth_models", "depth_runtime", "onnx", "onnxscript", "onnxruntime", "tqdm"},
    ),
}

# Room -> rooms of the same package that it may import; rooms that are not named import none.
ROOMS = {
    "depth_training": {
        "data": {"synthetic"},
        "panoptic": {"core"},
        "transforms": {"data"},
        "batches": {"data", "synthetic", "transforms"},
        "objectives": {"batches", "core", "panoptic", "reconstruction"},
        "engine": {"batches", "core", "data", "objectives", "synthetic", "transforms"},
        "evaluation": {"core", "data", "engine"},
        "labelling": {"evaluation"},
        "matching": {"core", "reconstruction"},
        "commands": {
            *("core", "data", "engine", "evaluation", "labelling", "matching", "reconstruction"),
            *("synthetic", "transforms"),
        },
    },
    "depth_replay": {
        "bags": {"messages"},
        "layouts": {"messages"},
        "scoring": {"bags", "messages"},
        "live": {"bags", "messages", "scoring"},
        "commands": {"bags", "layouts", "live", "messages", "scoring"},
    },
}
# Modules of these packages that may lie outside the rooms.
FRONT_DOORS = {"__init__", "__main__", "cli"}


@dataclass(frozen=True)
class Import:
    """One imported name with where it stands.

    lazy: runs only if a function is called; for_types: never runs, a type checker reads it.
    """

    name: str
    line: int
    lazy: bool
    for_types: bool


def imports_of(tree: ast.Module, package: list[str]) -> Iterator[Import]:
    """Every import of a module in the package path `package`, absolute names, dynamic ones with a constant too."""
    pending: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while pending:
        node, lazy, for_types = pending.pop()
        for name in names_of(node, package):
            yield Import(name, node.lineno, lazy, for_types)
        lazy = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for_types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        pending += [(child, lazy, for_types) for child in ast.iter_child_nodes(node)]


def names_of(node: ast.AST, package: list[str]) -> list[str]:
    """Absolute dotted names that this one syntax node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        if node.level and not base:
            return ["(above its own package)"]
        return [".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = ast.unparse(node.func)
        if function in ("importlib.import_module", "import_module", "__import__"):
            target = str(node.args[0].value)
            return [".".join(package) + target if target.startswith(".") else target]
    return []


def admits(names: frozenset[str], imported: str) -> bool:
    """True when `imported` is one of `names` or lies below one of them."""
    return any(imported == name or imported.startswith(name + ".") for name in names)


def violations(root: Path, arrow: Arrow) -> list[str]:
    """`file:line imports name` for each import below the arrow's folder that the table does not allow."""
    folder = root / arrow.folder
    allowed = arrow.allowed | sys.stdlib_module_names | {folder.name}
    found = []
    for path in sorted(folder.rglob("*.py")):
        package = [folder.name, *path.relative_to(folder).parent.parts]
        for item in imports_of(ast.parse(path.read_text(encoding="utf-8")), package):
            if not admits(allowed, item.name) and not (item.lazy and admits(arrow.lazily, item.name)):
                found.append(f"{path.relative_to(root)}:{item.line} imports {item.name}")
    return found


@pytest.mark.parametrize("package", ARROWS)
def test_package_imports_only_what_the_table_allows(repository, package):
    arrow = ARROWS[package]
    assert list((repository / arrow.folder).rglob("*.py")), f"expected Python files in {arrow.folder}"
    assert violations(repository, arrow) == []


def test_every_package_of_the_house_stands_in_the_table(repository):
    homes = [repository / name for name in ("models", "training", "export")]
    homes += [path for path in (repository / "ros2_ws" / "src").iterdir() if path.is_dir()]
    packages = {init.parent.name for home in homes for init in home.glob("*/__init__.py")}
    assert packages - {"test"} == set(ARROWS) - {"launch files"}


PLANTED = {
    "import torch\n": ["torch"],
    "import depth_models\n": ["depth_models"],
    "from depth_models import labels\n": ["depth_models.labels"],
    "from depth_runtime import spec, metrics\n": ["depth_runtime.metrics"],
    "from ...depth_export import cli\n": ["(above its own package)"],
    "def use():\n    import torch.nn as nn\n    return nn\n": ["torch.nn"],
    "try:\n    import tensorrt\nexcept ImportError:\n    tensorrt = None\n": ["tensorrt"],
    "import importlib\nmodule = importlib.import_module('rclpy')\n": ["rclpy"],
    "def use():\n    import tensorrt\n    return tensorrt\n": [],
    "from depth_runtime.spec import ModelSpec\nfrom .near import thing\nfrom ..far import other\n": [],
    "import os.path\nimport numpy as np\n": [],
}


@pytest.mark.parametrize("source", PLANTED)
def test_the_checker_sees_a_planted_import(tmp_path, source):
    arrow = Arrow("house/pkg", frozenset({"numpy", "depth_runtime.spec"}), frozenset({"tensorrt"}))
    module = tmp_path / "house" / "pkg" / "inner" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text(source)
    assert [line.split(" imports ")[1] for line in violations(tmp_path, arrow)] == PLANTED[source]


def module_graph(folder: Path) -> dict[str, set[str]]:
    """Dotted name of each module of a package -> the modules of it that it imports when it runs, lazily too."""
    paths = {path: ".".join(path.relative_to(folder.parent).with_suffix("").parts) for path in folder.rglob("*.py")}
    names = {path: name.removesuffix(".__init__") for path, name in paths.items()}
    known = set(names.values())
    graph: dict[str, set[str]] = {}
    for path, name in names.items():
        package = list(path.relative_to(folder.parent).parent.parts)
        items = imports_of(ast.parse(path.read_text(encoding="utf-8")), package)
        imported = {item.name for item in items if not item.for_types}
        modules = {target if target in known else target.rpartition(".")[0] for target in imported}
        graph[name] = (modules & known) - {name}
    return graph


def room_of(module: str) -> str:
    """The folder (or front-door module) of its package in which a module lies; "__init__" for the package itself."""
    return module.split(".")[1] if "." in module else "__init__"


@pytest.mark.parametrize("package", sorted(set(ARROWS) - {"launch files"}))
def test_no_modules_import_each_other_in_a_circle(repository, package):
    graph = module_graph(repository / ARROWS[package].folder)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_checker_sees_a_planted_circle(tmp_path):
    folder = tmp_path / "pkg"
    folder.mkdir()
    (folder / "one.py").write_text("from .two import thing\n")
    (folder / "two.py").write_text("def use():\n    from . import one\n    return one\n")
    with pytest.raises(CycleError):
        TopologicalSorter(module_graph(folder)).prepare()


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_only_the_rooms_below_them(repository, package):
    allowed = ROOMS[package]
    TopologicalSorter(allowed).prepare()  # the table itself has no circle
    found = []
    for name, imported in module_graph(repository / ARROWS[package].folder).items():
        room = room_of(name)
        if room in FRONT_DOORS:
            continue
        found += [
            f"{name} imports {target}"
            for target in imported
            if room_of(target) not in allowed.get(room, set()) | {room}
        ]
    assert found == []


@pytest.mark.parametrize("package", ROOMS)
def test_only_the_front_door_lies_outside_the_rooms(repository, package):
    assert {path.stem for path in (repository / ARROWS[package].folder).glob("*.py")} <= FRONT_DOORS
