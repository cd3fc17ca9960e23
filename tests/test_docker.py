# SPDX-License-Identifier: Apache-2.0
"""docker/ against the rest of the repository: packages, versions, files, launch arguments, and what runs as whom."""

import ast
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

requirements = pytest.importorskip("packaging.requirements", reason="packaging is not installed")

IMAGES = {"cpu": "jazzy", "cuda": "jazzy", "jetson": "jazzy", "jetson6": "humble"}
PACKAGES = ("launch", "models/zoo", "ros2_ws/src/depth_nodes", "ros2_ws/src/depth_replay", "ros2_ws/src/depth_runtime")
# Beside what package.xml names: for `ros2 launch`, the middleware, and what the node uses where it is.
EXTRA = {"ros2launch", "rmw_fastrtps_cpp", "cv_bridge", "vision_msgs"}
NO_DISPLAY = {"rviz2"}
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its continued lines joined and comments within them left out."""

    name: str
    words: str


def instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines()]


def dockerfile(image: str) -> list[Instruction]:
    return instructions((ROOT / f"docker/Dockerfile.{image}").read_text())


def stages(image: str) -> list[list[Instruction]]:
    """Instructions by stage, each beginning with its FROM; arguments before the first one left out."""
    found: list[list[Instruction]] = []
    for instruction in dockerfile(image):
        if instruction.name == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def locked(image: str) -> dict[str, str]:
    """Package -> version of an image's requirements file."""
    lines = (ROOT / f"docker/requirements/{image}.txt").read_text().splitlines()
    matches = [re.fullmatch(r"(\S+)==(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in lines[1:]]
    assert all(matches), f"expected NAME==VERSION --hash=sha256:... on every line of {image}.txt"
    return {match[1].replace("_", "-"): match[2] for match in matches}


def setup_requirements(package: str) -> dict[str, str]:
    """Python package -> specifier that a setup.py asks for, extras included."""
    tree = ast.parse((ROOT / package / "setup.py").read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found = {}
    for text in texts:
        if match := re.fullmatch(r"([a-z][a-z-]+)(>=[\d.]+)?", text):
            found[match[1]] = match[2] or ""
    return found


def test_there_are_no_images_beside_those_tested():
    folder = ROOT / "docker"
    assert {path.name for path in folder.glob("Dockerfile*")} == {f"Dockerfile.{image}" for image in IMAGES}
    assert {path.stem for path in folder.glob("requirements/*")} == set(IMAGES)


@pytest.mark.parametrize("image", IMAGES)
def test_apt_brings_what_package_xml_asks_for(image):
    own = {ElementTree.parse(ROOT / path / "package.xml").findtext("name") for path in PACKAGES}
    keys = {
        depend.text
        for path in PACKAGES
        for depend in ElementTree.parse(ROOT / path / "package.xml").iter("exec_depend")
    }
    wanted = {
        key if key.startswith("python3-") else f"ros-{IMAGES[image]}-{key.replace('_', '-')}"
        for key in (keys | EXTRA) - own - NO_DISPLAY
    }
    if image == "jetson6":
        wanted.add("python3-libnvinfer")
    (install,) = (i.words for i in stages(image)[-1] if i.name == "RUN" and "apt-get install" in i.words)
    packages = re.search(r"--no-install-recommends (.+?) &&", install)[1].split()
    assert packages == sorted(wanted)


@pytest.mark.parametrize("image", IMAGES)
def test_locked_packages_are_those_that_setup_py_asks_for(image):
    """Every wish of the packages that apt does not fulfil stands in the lock, in a version that they accept."""
    lock = locked(image)
    wanted = setup_requirements("ros2_ws/src/depth_replay") | setup_requirements("ros2_ws/src/depth_runtime")
    runtime = "onnxruntime-gpu" if image in ("cuda", "jetson") else "onnxruntime"
    needed = {"mcap", "rosbags", runtime} | (set() if image == "cpu" else {"cuda-python"})
    assert needed <= set(wanted)
    for name in needed:
        assert requirements.Requirement(f"x{wanted[name]}").specifier.contains(lock[name]), name
    other = {"onnxruntime", "onnxruntime-gpu"} - {runtime}
    assert not other & set(lock), "both would write into one folder"
    assert ("numpy" in lock) == (image == "jetson6"), "apt's OpenCV is built against apt's NumPy"


def test_images_agree_on_versions():
    for name in ("mcap", "rosbags", "onnxruntime-gpu", "cuda-python"):
        assert len({lock[name] for image in ("cpu", "cuda", "jetson") if name in (lock := locked(image))}) == 1, name
    assert (
        len({line.words for image in ("cuda", "jetson") for line in dockerfile(image) if "TENSORRT=" in line.words})
        == 1
    )


def test_the_page_names_bases_and_versions_as_they_are():
    rows = re.findall(r"^\| `docker/Dockerfile\.(\w+)` \|(.+)$", (ROOT / "docs/onboard.md").read_text(), re.MULTILINE)
    assert [image for image, _ in rows] == list(IMAGES)
    for image, row in rows:
        lock = locked(image)
        runtime = lock.get("onnxruntime") or lock["onnxruntime-gpu"]
        python = {"jazzy": "3.12", "humble": "3.10"}[IMAGES[image]]
        tensorrt = [i.words.removeprefix("TENSORRT=") for i in dockerfile(image) if i.words.startswith("TENSORRT=")]
        names = [
            f"ONNX Runtime {runtime} ",
            f"| {IMAGES[image].title()}, {python} |",
            *(f"TensorRT {v} " for v in tensorrt),
        ]
        names.append(f"| `{dockerfile(image)[0].words.removeprefix('BASE_IMAGE=')}` |")
        assert [name for name in names if name not in row.replace(";", " ;")] == [], row


def test_locks_are_those_of_lock_py():
    """What lock.py would ask for is what is locked; its network part is not run here."""
    sys.path.insert(0, str(ROOT / "docker"))
    try:
        import lock
    finally:
        sys.path.pop(0)
    assert set(lock.IMAGES) == set(IMAGES)
    for name, image in lock.IMAGES.items():
        pins = {requirements.Requirement(text).name: text.split("==")[1] for text in image.wanted}
        assert pins.items() <= locked(name).items()
        first = (ROOT / f"docker/requirements/{name}.txt").read_text().splitlines(keepends=True)[0]
        assert first == lock.HEADER.format(python=image.python, machine=image.machine, glibc=f"2.{image.glibc}")


@pytest.mark.parametrize("image", IMAGES)
def test_pythons_are_those_the_project_runs_on(image):
    header = (ROOT / f"docker/requirements/{image}.txt").read_text().splitlines()[0]
    python = re.search(r"Python (3\.\d+)", header)[1]
    assert python == {"jazzy": "3.12", "humble": "3.10"}[IMAGES[image]]
    assert f"Programming Language :: Python :: {python}" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_exists_and_is_in_the_context(image):
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    admitted = [line[1:] for line in lines if line.startswith("!")]
    assert all((ROOT / name).exists() for name in admitted)
    sources = []
    for instruction in dockerfile(image):
        if instruction.name == "COPY" and "--from=" not in instruction.words:
            sources += [word for word in instruction.words.split()[:-1] if not word.startswith("--")]
    assert f"docker/requirements/{image}.txt" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == name or source.startswith(f"{name}/") for name in admitted), source
    assert {"launch", "models/zoo", "ros2_ws/src"} <= set(sources), "ros2_ws/src links to the other two"


@pytest.mark.parametrize("image", IMAGES)
def test_stages_users_and_healthcheck(image):
    names = [stage[0].words.split()[-1] for stage in stages(image)]
    assert names[-2:] == ["build", "final"]
    last = stages(image)[-1]
    user = [instruction.words for instruction in last if instruction.name == "USER"]
    assert user == ["${APP_UID}"]
    (uid,) = (i.words for i in last if i.name == "ARG")
    assert int(uid.removeprefix("APP_UID=")) >= 1000
    after = [i.name for i in last[[i.name for i in last].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after)
    assert not {"pip", "colcon"} & set(" ".join(i.words for i in last).split()), "tools stay in the build stage"
    (check,) = (i.words for i in last if i.name == "HEALTHCHECK")
    assert "healthcheck.py" in check
    (copied,) = (i.words for i in last if i.name == "COPY" and "--from" not in i.words)
    assert {"docker/entrypoint.sh", "docker/healthcheck.py"} <= set(copied.split())


@pytest.mark.parametrize("image", IMAGES)
def test_the_base_image_is_named_by_tag_and_can_be_named_by_digest(image):
    first = dockerfile(image)[0]
    assert first.name == "ARG"
    base = first.words.removeprefix("BASE_IMAGE=")
    assert re.fullmatch(r"ros:jazzy-ros-core-noble|nvcr\.io/nvidia/l4t-jetpack:r36\.\d+\.\d+", base)
    for stage in stages(image):
        assert stage[0].words.split()[0] in ("${BASE_IMAGE}", "ros")


def test_entrypoint_and_launch_find_the_workspace():
    text = (ROOT / "docker/entrypoint.sh").read_text()
    prefix = re.search(r":-(/\S+)/setup\.bash", text)[1]
    for image in IMAGES:
        assert f"--install-base {prefix}" in (ROOT / f"docker/Dockerfile.{image}").read_text()
    assert (
        f"{prefix}/share/depth_bringup/systemd/depth-stack-node.sh"
        in (ROOT / "launch/systemd/depth-stack@.service").read_text()
    )


def test_nothing_secret_and_no_mirror_stands_here():
    files = [path for path in (ROOT / "docker").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(files) > 10
    for path in [*files, *(ROOT / "launch/systemd").iterdir()]:
        text = path.read_text()
        assert not re.search(r"(?i)index-url|trusted-host|\bpassword\b|\btoken\b|secret|BEGIN .*KEY|@.+:.+@", text), (
            path
        )
        hosts = set(re.findall(r"https?://([\w.-]+)", text))
        assert hosts <= {"github.com"}, f"{path}: {hosts}"


def test_scripts_are_clean_shell():
    for path in ("docker/entrypoint.sh", "launch/systemd/depth-stack-node.sh"):
        subprocess.run(["bash", "-n", ROOT / path], check=True)
        assert (ROOT / path).stat().st_mode & 0o111, f"{path} can be run"


def test_hadolint_finds_nothing():
    tool = Path(sys.executable).parent / "hadolint"
    hadolint = str(tool) if tool.is_file() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    files = [f"docker/Dockerfile.{image}" for image in IMAGES]
    command = [hadolint, "--config", "docker/hadolint.yaml", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
