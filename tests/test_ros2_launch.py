# SPDX-License-Identifier: Apache-2.0
"""The robot's way, on real tools: colcon build, source, `ros2 launch depth_bringup stereo.launch.py`, Ctrl-C."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TOOLS = ("ros2", "colcon")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
MISSING += [name for name in ("launch_ros", "ros2launch", "onnx") if importlib.util.find_spec(name) is None]
if MISSING:
    pytest.skip(f"no ROS 2 here to launch with: {', '.join(MISSING)} not found", allow_module_level=True)

PACKAGES = {"depth_bringup", "depth_nodes", "depth_replay", "depth_runtime", "depth_zoo"}
NAMESPACE = "/front_camera"
NODE = f"{NAMESPACE}/stereo_node"
OWN_PARAMETERS = """
/**:
  ros__parameters:
    max_depth_m: 33.5
    image_transport: raw
    publish:
      points: false
"""


@pytest.fixture(scope="module")
def environment(repository, tmp_path_factory) -> dict[str, str]:
    """Process environment with the workspace built and sourced."""
    workspace = tmp_path_factory.mktemp("workspace")
    bases = ["--base-paths", str(repository / "ros2_ws" / "src")]
    command = ["colcon", "--log-base", str(workspace / "log"), "build", *bases]
    command += ["--build-base", str(workspace / "build"), "--install-base", str(workspace / "install")]
    built = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert f"{len(PACKAGES)} packages finished" in built.stdout
    sourced = f". {workspace / 'install' / 'setup.bash'} && env -0"
    listing = subprocess.run(["bash", "-c", sourced], capture_output=True, text=True, check=True).stdout
    variables = dict(entry.split("=", 1) for entry in listing.split("\0") if "=" in entry)
    return variables | {"ROS_LOG_DIR": str(workspace / "ros_log"), "RCUTILS_COLORIZED_OUTPUT": "0"}


@pytest.fixture(scope="module")
def probe(tmp_path_factory) -> Path:
    """A network that computes next to nothing."""
    from depth_export.probe import write_probe

    return write_probe(tmp_path_factory.mktemp("model") / "probe.onnx")


@pytest.fixture
def launch(environment, tmp_path) -> Iterator[Callable]:
    """launch(arguments, environment=...) -> (process, log file); what still runs at the end is killed."""
    started = []

    def start(*arguments: str, **extra: str) -> tuple[subprocess.Popen, Path]:
        log = tmp_path / f"launch_{len(started)}.txt"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["ros2", "launch", "depth_bringup", "stereo.launch.py", *arguments],
                env=environment | extra,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        return process, log

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def wait_for(text: str, log: Path, timeout_s: float = 300.0) -> str:
    """Wait until `text` stands in the log; returns the whole log."""
    deadline = time.monotonic() + timeout_s
    while text not in log.read_text():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for '{text}' in:\n{log.read_text()}"
        time.sleep(0.05)
    return log.read_text()


def ros2(environment: dict[str, str], *arguments: str) -> str:
    """Output of a ros2 command that looks around for itself, without the daemon."""
    command = ["ros2", *arguments, "--no-daemon", "--spin-time", "4"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True).stdout


def interrupt(process: subprocess.Popen) -> int:
    """Ctrl-C as a terminal sends it, to the whole group; exit code."""
    os.killpg(process.pid, signal.SIGINT)
    return process.wait(300)


def test_show_args_is_a_manual(environment):
    command = ["ros2", "launch", "depth_bringup", "stereo.launch.py", "--show-args"]
    manual = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    described = re.findall(r"^    '(\w+)':\n        (.+)\n        \(default: ", manual, re.MULTILINE)
    assert {name for name, _ in described} >= {
        "model",
        "backend",
        "network_size",
        "namespace",
        "left_image",
        "params_file",
        "rviz",
    }
    assert "no description" not in manual.lower()
    assert len(described) == manual.count("(default: ")


def test_launched_node_is_active_with_its_own_settings_and_ends_on_ctrl_c(launch, environment, probe, tmp_path):
    site = tmp_path / "own.param.yaml"
    site.write_text(OWN_PARAMETERS)
    arguments = (f"model:={probe}", f"params_file:={site}", f"namespace:={NAMESPACE}", "left_image:=/rig/left")
    process, log = launch(*arguments)
    wait_for(f"{probe} runs on", log)
    assert "active" in ros2(environment, "lifecycle", "get", NODE)
    assert "33.5" in ros2(environment, "param", "get", NODE, "max_depth_m")
    assert "False" in ros2(environment, "param", "get", NODE, "publish.points")
    node = ros2(environment, "node", "info", NODE)
    assert "/rig/left: sensor_msgs/msg/Image" in node
    assert f"{NAMESPACE}/right/image_rect: sensor_msgs/msg/Image" in node
    assert f"{NAMESPACE}/disparity: stereo_msgs/msg/DisparityImage" in node
    assert interrupt(process) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_launched_node_answers_a_pair_with_the_network_it_was_given(launch, probe):
    import rclpy
    from stereo_messages import scene
    from stereo_rig import Rig

    context = rclpy.Context()
    rclpy.init(context=context)
    rig = Rig(context, NAMESPACE)
    rig.listen("disparity")
    _, log = launch(f"model:={probe}", f"namespace:={NAMESPACE}")
    wait_for("runs on", log)
    rig.warm_up()
    left, right = scene(seed=7)
    message = rig.ask("disparity", left, right)
    rig.close()
    rclpy.shutdown(context=context)
    assert (message.image.height, message.image.width) == left.shape[:2]
    assert message.image.encoding == "32FC1"


def test_topics_have_the_promised_qos(launch, environment, probe):
    _, log = launch(f"model:={probe}")
    wait_for("runs on", log)
    promised = {
        "/left/image_rect": ("SUBSCRIPTION", "BEST_EFFORT", "VOLATILE"),
        "/right/camera_info": ("SUBSCRIPTION", "BEST_EFFORT", "VOLATILE"),
        "/disparity": ("PUBLISHER", "RELIABLE", "VOLATILE"),
        "/panoptic/labels": ("PUBLISHER", "RELIABLE", "TRANSIENT_LOCAL"),
    }
    for topic, (kind, reliability, durability) in promised.items():
        text = ros2(environment, "topic", "info", "-v", topic)
        assert f"Endpoint type: {kind}" in text, topic
        assert f"Reliability: {reliability}" in text, topic
        assert f"Durability: {durability}" in text, topic


def test_a_wrong_parameter_name_is_refused_by_name(launch, probe, tmp_path):
    site = tmp_path / "typo.param.yaml"
    site.write_text("/**:\n  ros__parameters:\n    max_deptth_m: 33.5\n")
    process, log = launch(f"model:={probe}", f"params_file:={site}")
    process.wait(300)
    assert "max_deptth_m" in log.read_text()


def test_dds_profile_is_the_packaged_one_unless_the_user_has_one(launch, environment, probe, tmp_path):
    share = Path(environment["AMENT_PREFIX_PATH"].split(":")[0]) / "share" / "depth_bringup"
    own = tmp_path / "own.xml"
    shutil.copy(share / "config" / "fastdds.xml", own)
    expected = {
        (): {str(share / "config" / "fastdds.xml")},
        (f"dds_profile:={own}",): {str(own)},
        ("dds_profile:=off",): set(),
    }
    for arguments, profiles in expected.items():
        _, log = launch(f"model:={probe}", *arguments)
        assert set(profiles_of_node(wait_for("runs on", log)).values()) == profiles
    _, log = launch(f"model:={probe}", FASTDDS_DEFAULT_PROFILES_FILE=str(own))
    profiles = profiles_of_node(wait_for("runs on", log))
    assert profiles == dict.fromkeys(("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"), str(own))


def profiles_of_node(log: str) -> dict[str, str]:
    """Variables that name a DDS profile in the environment of the node process that the launch log tells of."""
    pid = re.search(r"stereo_node-1\]: process started with pid \[(\d+)\]", log)[1]
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(variable.split("=", 1) for variable in variables if "_DEFAULT_PROFILES_FILE=" in variable)
