# SPDX-License-Identifier: Apache-2.0
from glob import glob
from xml.etree import ElementTree

from setuptools import setup

package = ElementTree.parse("package.xml").getroot()
package_name = package.findtext("name")

setup(
    name=package_name,
    version=package.findtext("version"),
    packages=[],
    py_modules=[],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
        (f"share/{package_name}/launch", glob("launch/*.launch.py")),
        (f"share/{package_name}/config", glob("config/*")),
        (f"share/{package_name}/rviz", glob("rviz/*.rviz")),
        (f"share/{package_name}/systemd", glob("systemd/*")),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer=package.findtext("maintainer"),
    maintainer_email=package.find("maintainer").get("email"),
    description=package.findtext("description"),
    license=package.findtext("license"),
)
