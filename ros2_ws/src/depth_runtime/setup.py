# SPDX-License-Identifier: Apache-2.0
from xml.etree import ElementTree

from setuptools import find_packages, setup

package = ElementTree.parse("package.xml").getroot()
package_name = package.findtext("name")

setup(
    name=package_name,
    version=package.findtext("version"),
    packages=find_packages(include=[package_name, package_name + ".*"]),
    package_data={package_name: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
    ],
    python_requires=">=3.10",
    # A robot that has no simplejpeg takes JPEGs that are damaged in the middle for whole ones.
    install_requires=["setuptools", "numpy", "opencv-python-headless", "simplejpeg>=1.7"],
    extras_require={
        "cpu": ["onnxruntime>=1.17"],
        "gpu": ["onnxruntime-gpu>=1.17"],
        # TensorRT itself comes from NVIDIA or with JetPack; take the cuda-python of your CUDA version.
        "tensorrt": ["cuda-python"],
        "tensorrt-rtx": ["cuda-python", "tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu13-libs"],
    },
    zip_safe=True,
    maintainer=package.findtext("maintainer"),
    maintainer_email=package.find("maintainer").get("email"),
    description=package.findtext("description"),
    license=package.findtext("license"),
    tests_require=["pytest"],
    entry_points={"console_scripts": ["depth_runtime = depth_runtime.cli:main"]},
)
