# SPDX-License-Identifier: Apache-2.0
"""The bring-up's files, read without ROS's launch: arguments, site parameters, DDS profile and RViz views."""

import ast
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from depth_runtime.backends import backend_names

ARGUMENTS = {
    *("model", "backend", "namespace", "left_image", "right_image", "left_camera_info", "right_camera_info"),
    *("network_size", "image_transport", "params_file", "use_sim_time", "log_level", "rviz", "dds_profile"),
}
DDS = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
# "name: value   # meaning; range; unit [dynamic]", at any depth
PARAMETER_LINE = re.compile(r"^ +(?P<name>\w+): (?P<value>\S+) +# (?P<meaning>.+) \[(?P<change>dynamic|static)\]$")


@pytest.fixture(scope="module")
def parameter_lines(repository) -> dict[str, re.Match]:
    """Parameter name, dotted below `publish` -> its line in the site parameter file."""
    lines, prefix = {}, ""
    for line in (repository / "launch/config/stereo.param.yaml").read_text().splitlines():
        content = line.split("#")[0].rstrip()
        if content.startswith("    ") and content.endswith(":"):
            prefix = content.strip()[:-1] + "."
        elif content.startswith("    "):
            match = PARAMETER_LINE.match(line)
            assert match, f"expected 'name: value  # meaning [dynamic|static]', got {line!r}"
            lines[(prefix if line.startswith("      ") else "") + match["name"]] = match
    return lines


@pytest.fixture(scope="module")
def launch_arguments(repository) -> dict[str, dict[str, ast.expr]]:
    """Launch argument -> keywords of its declaration."""
    tree = ast.parse((repository / "launch/launch/stereo.launch.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    declared = [call for call in calls if ast.unparse(call.func) == "DeclareLaunchArgument"]
    return {call.args[0].value: {keyword.arg: keyword.value for keyword in call.keywords} for call in declared}


def test_every_launch_argument_is_described(launch_arguments):
    assert set(launch_arguments) == ARGUMENTS
    for name, keywords in launch_arguments.items():
        assert "default_value" in keywords, name
        assert len(keywords["description"].value) > 20, name


def test_launch_offers_the_backends_that_exist(launch_arguments):
    assert set(ast.literal_eval(launch_arguments["backend"]["choices"])) == {"", *backend_names()}


def test_site_parameters_are_the_nodes_parameters_with_their_defaults(parameter_lines):
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    from depth_nodes.stereo_node import PARAMETERS

    site = {name: yaml.safe_load(line["value"]) for name, line in parameter_lines.items()}
    assert site == {name: parameter.default for name, parameter in PARAMETERS.by_name.items()}


def test_site_parameters_say_what_the_node_accepts(parameter_lines):
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    from depth_nodes.stereo_node import PARAMETERS

    for parameter in PARAMETERS.by_name.values():
        line = parameter_lines[parameter.name]
        assert line["change"] == ("dynamic" if parameter.dynamic else "static"), parameter.name
        if parameter.limits:
            low, high = parameter.limits
            assert line["meaning"].startswith(f"{low:g}..{high:g}"), parameter.name
        if parameter.choices:
            choices = [part.split()[0].rstrip(";") for part in line["meaning"].split("|")]
            assert sorted(choices) == sorted(parameter.choices), parameter.name


def test_dds_profile_gives_images_shared_memory_and_keeps_the_network(repository):
    root = ElementTree.parse(repository / "launch/config/fastdds.xml").getroot()
    transports = {t.findtext(f"{DDS}transport_id"): t for t in root.iter(f"{DDS}transport_descriptor")}
    types = {name: transport.findtext(f"{DDS}type") for name, transport in transports.items()}
    assert sorted(types.values()) == ["SHM", "UDPv4"]
    shared = next(t for name, t in transports.items() if types[name] == "SHM")
    assert int(shared.findtext(f"{DDS}segment_size")) == 64 * 2**20
    assert int(shared.findtext(f"{DDS}maxMessageSize")) == 16 * 2**20
    participant = root.find(f".//{DDS}participant")
    assert participant.get("is_default_profile") == "true"
    assert participant.findtext(f".//{DDS}useBuiltinTransports") == "false"
    used = [element.text for element in participant.iter(f"{DDS}transport_id")]
    assert sorted(used) == sorted(transports)


def test_rviz_shows_topics_that_exist(repository):
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    from depth_nodes.stereo_outputs import OUTPUTS
    from sensor_msgs.msg import Image, PointCloud2

    displays = yaml.safe_load((repository / "launch/rviz/stereo.rviz").read_text())["Visualization Manager"]["Displays"]
    shown = {display["Topic"]["Value"]: display["Class"] for display in displays if "Topic" in display}
    assert len(shown) == 5
    types = {output.topic: output.kind for output in OUTPUTS} | {"left/image_rect": Image}
    classes = {Image: "rviz_default_plugins/Image", PointCloud2: "rviz_default_plugins/PointCloud2"}
    assert shown == {topic: classes[types[topic]] for topic in shown}


def test_the_launch_folder_does_not_shadow_ros_launch(repository):
    """A folder without __init__.py yields to an installed package of the same name; with one it would win."""
    assert not list((repository / "launch").rglob("__init__.py"))
    code = "import launch; print(getattr(launch, '__file__', None))"
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert str(repository) not in done.stdout
