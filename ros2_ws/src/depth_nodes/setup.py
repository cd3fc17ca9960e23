# SPDX-License-Identifier: Apache-2.0
from xml.etree import ElementTree

from setuptools import find_packages, setup

package = ElementTree.parse("package.xml").getroot()
package_name = package.findtext("name")

# The message packages and rclpy come from the ROS installation on a robot; the `pypi` extra
# brings the same ones on a machine that has none.
PYPI_ROS = [
    "ros-rclpy[fastrtps]~=7.1",
    "ros-sensor-msgs~=5.3",
    "ros-stereo-msgs~=5.3",
    "ros-diagnostic-msgs~=5.3",
    "ros-std-msgs~=5.3",
    "ros-lifecycle-msgs~=2.0",
    "ros-rosgraph-msgs~=2.0",
]

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
    install_requires=["setuptools", "numpy", "opencv-python-headless", "depth_runtime"],
    extras_require={"pypi": PYPI_ROS},
    zip_safe=True,
    maintainer=package.findtext("maintainer"),
    maintainer_email=package.find("maintainer").get("email"),
    description=package.findtext("description"),
    license=package.findtext("license"),
    tests_require=["pytest"],
    entry_points={"console_scripts": ["stereo_node = depth_nodes.stereo_node:main"]},
)
