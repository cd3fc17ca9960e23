# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "depth_runtime"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(include=[package_name, package_name + ".*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools", "numpy", "opencv-python-headless"],
    extras_require={
        "cpu": ["onnxruntime>=1.17"],
        "gpu": ["onnxruntime-gpu>=1.17"],
        # TensorRT itself comes from NVIDIA or with JetPack; take the cuda-python of your CUDA version.
        "tensorrt": ["cuda-python"],
        "tensorrt-rtx": ["cuda-python", "tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu13-libs"],
    },
    zip_safe=True,
    maintainer="Depth Stack maintainers",
    maintainer_email="maintainers@depth-stack.invalid",
    description="Torch-free runtime of Depth Stack: model contract, resize plan, backends, stereo geometry.",
    license="Apache-2.0",
    tests_require=["pytest"],
    entry_points={"console_scripts": ["depth_runtime = depth_runtime.cli:main"]},
)
