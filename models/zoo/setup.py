# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from setuptools import setup

package_name = "depth_zoo"
networks = sorted({path.parent.name for path in Path(__file__).parent.glob("*/*.onnx")})

setup(
    name=package_name,
    version="0.1.0",
    packages=[],
    py_modules=[],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
        *(
            (f"share/{package_name}/{name}", sorted(str(path) for path in Path(name).iterdir() if path.is_file()))
            for name in networks
        ),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="Depth Stack maintainers",
    maintainer_email="maintainers@depth-stack.invalid",
    description="Trained ONNX files of Depth Stack with their model cards.",
    license="Apache-2.0",
)
