# SPDX-License-Identifier: Apache-2.0
"""The compose files of docker/: what they name exists, what they call is understood, what they share is shared."""

import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

COMPOSE = ("compose.yaml", "compose.three_cameras.yaml", "compose.cuda.yaml", "compose.jetson.yaml")
ROOT = Path(__file__).resolve().parents[1]


def compose(name: str) -> dict:
    return yaml.safe_load((ROOT / "docker" / name).read_text())


def services() -> list[tuple[str, str, dict]]:
    """(compose file, service, its content) of all."""
    return [(name, service, content) for name in COMPOSE for service, content in compose(name)["services"].items()]


def filled(text: object) -> str:
    """A value as it is where no variable is set: ${NAME:-default} -> default."""
    return re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", str(text))


def test_there_are_no_compose_files_beside_those_tested():
    assert {path.name for path in (ROOT / "docker").glob("*compose*")} == set(COMPOSE)


def test_compose_files_name_dockerfiles_and_folders_that_exist():
    for name in COMPOSE:
        for content in [compose(name).get("x-ros"), compose(name).get("x-gpu")]:
            if content:
                file = filled(content["build"]["dockerfile"])
                assert (ROOT / "docker" / content["build"]["context"] / file).is_file(), file
                assert content["image"] == f"depth_stack:{file.split('.')[-1]}"
    for name, service, content in services():
        for volume in content.get("volumes", []):
            source = filled(volume).split(":")[0]
            if source.startswith("."):
                assert (ROOT / "docker" / source).exists(), f"{name} {service}: {source}"
            else:
                assert source in compose(name)["volumes"], f"{name} {service}: {source}"


def test_compose_files_call_what_exists():
    declared = re.findall(r'DeclareLaunchArgument\(\s*"(\w+)"', (ROOT / "launch/launch/stereo.launch.py").read_text())
    launches = programs = 0
    for name, service, content in services():
        command = [filled(word) for word in content.get("command", [])]
        if command[:2] == ["ros2", "launch"]:
            launches += 1
            assert command[2:4] == ["depth_bringup", "stereo.launch.py"]
            arguments = [word.split(":=")[0] for word in command[4:]]
            assert set(arguments) <= set(declared), f"{name} {service}"
        elif command[:2] == ["python3", "-m"]:
            programs += 1
            understood(*command[2:])
    assert (launches, programs) == (4, 4)


def understood(program: str, command: str, *words: str) -> None:
    """Fail unless the program's parser takes the words."""
    if program == "depth_replay":
        pytest.importorskip("rclpy", reason="rclpy is not installed")
        from depth_replay.cli import PROGRAM
    else:
        from depth_runtime.cli import PROGRAM
    PROGRAM.parser_of(command).parse_args(list(words))


def test_services_share_memory_and_are_held_small():
    for name, service, content in services():
        if content.get("image", "").startswith("depth_stack:") and "x-gpu" not in compose(name):
            assert content["read_only"] is True, service
            assert content["cap_drop"] == ["ALL"], service
            assert content["security_opt"] == ["no-new-privileges:true"], service
            assert content["ipc"] == "host", "DDS shares memory"
        environment = content.get("environment")
        if environment:
            assert {"ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE"} <= set(environment), f"{name} {service}"
            assert {key for key in environment if key.endswith("PROFILES_FILE")} == {
                "FASTDDS_DEFAULT_PROFILES_FILE",
                "FASTRTPS_DEFAULT_PROFILES_FILE",
            }
        assert "privileged" not in content


def test_three_cameras_have_three_namespaces():
    for service, content in compose("compose.three_cameras.yaml")["services"].items():
        assert f"namespace:={service}" in content["command"]
        assert content["environment"]["DEPTH_NAMESPACE"] == service, "the healthcheck asks the node of this camera"


@pytest.mark.parametrize("name", ["cuda", "jetson"])
def test_engines_are_built_where_the_node_looks(name):
    overlay, base = compose(f"compose.{name}.yaml"), compose("compose.yaml")
    volume = "engines:/var/cache/depth_stack/engines"
    assert volume in overlay["services"]["build-engine"]["volumes"]
    assert volume in base["services"]["node"]["volumes"]
    assert overlay["services"]["build-engine"]["restart"] == "no"
    for path in (ROOT / "docker").glob("Dockerfile.*"):
        last = path.read_text().split("AS final")[1]
        assert "XDG_CACHE_HOME=/var/cache" in last
        assert "/var/cache/depth_stack/engines" in last
