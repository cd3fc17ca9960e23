# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from xml.etree import ElementTree

from setuptools import setup

package = ElementTree.parse("package.xml").getroot()
package_name = package.findtext("name")
networks = sorted({path.parent.name for path in Path(__file__).parent.glob("*/*.onnx")})

setup(
    name=package_name,
    version=package.findtext("version"),
    packages=[],
    py_modules=[],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml", "LICENSE"]),
        *(
            (f"share/{package_name}/{name}", sorted(str(path) for path in Path(name).iterdir() if path.is_file()))
            for name in networks
        ),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer=package.findtext("maintainer"),
    maintainer_email=package.find("maintainer").get("email"),
    description=package.findtext("description"),
    license=package.findtext("license"),
)
