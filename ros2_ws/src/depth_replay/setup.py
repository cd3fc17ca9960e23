# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "depth_replay"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(include=[package_name, package_name + ".*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[
        "setuptools",
        "numpy",
        "opencv-python-headless",
        "mcap",
        "rosbags>=0.11",
        "tqdm",
        "depth_runtime",
    ],
    zip_safe=True,
    maintainer="Depth Stack maintainers",
    maintainer_email="maintainers@depth-stack.invalid",
    description="Bag tools of Depth Stack: images to bag, play, record, score, report.",
    license="Apache-2.0",
    tests_require=["pytest"],
    entry_points={"console_scripts": ["depth_replay = depth_replay.cli:main"]},
)
