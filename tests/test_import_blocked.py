# SPDX-License-Identifier: Apache-2.0
"""What a robot installs runs without torch, and the runtime without ROS and without any inference library."""

import importlib.util
import json
import subprocess
import sys

import pytest

# Imports every module of a package in a fresh interpreter in which the named packages cannot be imported.
IMPORT_ALL = """
import importlib, json, pkgutil, sys
package, blocked = sys.argv[1], sys.argv[2:]
sys.modules.update(dict.fromkeys(blocked))
root = importlib.import_module(package)
names = [m.name for m in pkgutil.walk_packages(root.__path__, package + ".") if not m.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(json.dumps(names))
"""
PROJECT_ABOVE = ("torch", "depth_models", "depth_training", "depth_export")
NO_BACKENDS = ("onnxruntime", "tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "cuda", "onnx")


def import_all(package: str, blocked: tuple[str, ...], folder) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", IMPORT_ALL, package, *blocked]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)


def test_runtime_imports_without_torch_ros_and_inference_libraries(tmp_path):
    done = import_all("depth_runtime", (*PROJECT_ABOVE, *NO_BACKENDS, "rclpy", "depth_nodes"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "depth_runtime.spec" in json.loads(done.stdout)


@pytest.mark.parametrize("package", ["depth_nodes", "depth_replay"])
def test_ros_packages_import_without_torch(tmp_path, package):
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed; pip install ./ros2_ws/src/depth_nodes[pypi] brings it")
    done = import_all(package, PROJECT_ABOVE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout), f"expected modules in {package}"


def test_a_blocked_package_that_is_imported_is_noticed(tmp_path):
    done = import_all("depth_runtime", ("numpy",), tmp_path)
    assert done.returncode != 0
    assert "numpy" in done.stderr
