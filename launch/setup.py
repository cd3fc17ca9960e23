# SPDX-License-Identifier: Apache-2.0
from glob import glob

from setuptools import setup

package_name = "depth_bringup"

setup(
    name=package_name,
    version="0.1.0",
    packages=[],
    py_modules=[],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
        (f"share/{package_name}/launch", glob("launch/*.launch.py")),
        (f"share/{package_name}/config", glob("config/*")),
        (f"share/{package_name}/rviz", glob("rviz/*.rviz")),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="Depth Stack maintainers",
    maintainer_email="maintainers@depth-stack.invalid",
    description="Launch files, site parameters, DDS profile and RViz views of Depth Stack.",
    license="Apache-2.0",
)
