# SPDX-License-Identifier: Apache-2.0
"""`demo`: player, stereo node and recorder as processes over DDS on this machine, and a report on their work."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from depth_runtime.command_line import INTERRUPTED
from depth_runtime.rectification import BaselineRule
from depth_runtime.tables import json_text
from depth_runtime.zoo import resolve_model
from tqdm import tqdm

from ..bags.bag import BagError, bag_span_ns, bag_topics
from ..bags.outputs_bag import join_bags
from ..messages import topics
from ..scoring.contact_sheet import moments, write_contact_sheet
from ..scoring.report import build_report, frame_causes, read_recorded
from ..scoring.score import score_bags
from .dds_profile import use_profile
from .machine import machine, versions
from .node_watch import NodeWatch
from .pace import AUTO, Pace, find_pace
from .processes import Process, ProcessGroup
from .ros import ros_node

# Building an engine can take minutes; loading a network on a processor takes seconds.
_ACTIVE_TIMEOUT_S = 900.0
_DISCOVERY_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class DemoOptions:
    """One run. parameters go to the node as `-p name:=value`.

    model: zoo name or path, AUTO = the most accurate zoo network that keeps WANTED_HZ on this machine. hz: frames per
    second, None = as recorded, AUTO = the bag's own rate where the network keeps it here, else one that it keeps.
    """

    bag: Path
    out: Path
    model: str = AUTO
    hz: float | str | None = AUTO
    transport: str = "raw"
    params_file: Path | None = None
    parameters: tuple[str, ...] = ()
    remaps: tuple[str, ...] = ()
    points: bool = False


def run_environment() -> dict[str, str]:
    """This process's environment for a run that hears nobody else: loopback, a domain of its own, the DDS profile."""
    environment = dict(os.environ)
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    # 1..99: the port range of these domains is free on every system.
    environment.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 99))
    environment.update(RCUTILS_COLORIZED_OUTPUT="0", PYTHONUNBUFFERED="1")
    use_profile(environment)
    return environment


def input_topics(bag: Path, remaps: dict[str, str]) -> dict[str, str]:
    """Recorded name of each of the four inputs, by interface name.

    Raises BagError naming what the bag has when one is missing.
    """
    found = bag_topics(bag)
    names = {topics.base(topics.renamed(name, remaps)): name for name in found}
    missing = [name for name in topics.INPUTS if name not in names]
    if missing:
        raise BagError(
            f"expected the topics {missing} in {bag}, got {sorted(found)}; name yours with --remap, "
            "for example --remap cam0/image:=left/image_rect"
        )
    return {name: names[name] for name in topics.INPUTS}


def run_demo(options: DemoOptions, remaps: dict[str, str]) -> dict[str, Any]:
    """Play the bag through the node and leave outputs.mcap, contact_sheet.png and report.json in options.out.

    Returns the report. Raises ProcessDiedError or TimeoutError, with log lines, when a process fails, BagError when
    the bag does not serve or nothing was answered.
    """
    inputs = input_topics(options.bag, remaps)
    pace = find_pace(options.bag, inputs[topics.LEFT_IMAGE], inputs[topics.LEFT_INFO], options.model, options.hz)
    if pace.trials:
        print(f"{pace}\n", flush=True)
    logs = options.out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    os.environ.update(run_environment())
    recording, sent_file = options.out / "recorded.mcap", options.out / "sent.json"
    with ProcessGroup(logs, os.environ) as group:
        node = group.start("stereo_node", _node_command(options, pace))
        recorder = _start_listening(group, recording, options)
        group.start("player", _player_command(options, pace, inputs, sent_file))
        _watch_player(group, options.bag, pace, inputs)
        # Diagnostics come every second: the last one then counts all frames.
        _pause(group, 2.2)
        node_exit, recorder_exit = node.stop(), recorder.stop()
    if recorder_exit != INTERRUPTED:
        raise BagError(f"expected the recorder to finish {recording}; {recorder.epitaph()}")
    report = _report(options, pace, remaps, recording, json.loads(sent_file.read_text(encoding="utf-8")))
    if node_exit:
        report["notes"].append(f"the stereo node ended with {node_exit} on SIGINT, expected 0; see {node.log}")
    recording.unlink()
    sent_file.unlink()
    (options.out / "report.json").write_text(json_text(report), encoding="utf-8")
    return report


def _node_command(options: DemoOptions, pace: Pace) -> list[str]:
    command = [sys.executable, "-m", "depth_nodes.stereo_node", "--ros-args"]
    if options.params_file:
        command += ["--params-file", str(options.params_file)]
    transport = "compressed" if options.transport == "compressed" else "raw"
    parameters = [f"model:={pace.model}", f"image_transport:={transport}", *options.parameters]
    return command + [word for parameter in parameters for word in ("-p", parameter)]


def _player_command(options: DemoOptions, pace: Pace, inputs: dict[str, str], sent_file: Path) -> list[str]:
    command = [sys.executable, "-m", "depth_replay", "play", str(options.bag)]
    command += ["--transport", options.transport, "--wait-for-subscribers", str(_DISCOVERY_TIMEOUT_S)]
    command += ["--report", str(sent_file), *_repeated("--topic", inputs.values())]
    if pace.hz:
        command += ["--hz", str(pace.hz)]
    return command + _repeated("--remap", options.remaps)


def _repeated(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _start_listening(group: ProcessGroup, recording: Path, options: DemoOptions) -> Process:
    """Wait for the active node, start the recorder and wait until it hears every output."""
    wanted = [*topics.OUTPUTS, *([topics.POINTS] if options.points else [])]
    with ros_node("depth_replay_demo") as watcher:
        watch = NodeWatch(watcher)
        group.wait(watch.is_active, _ACTIVE_TIMEOUT_S, "an active stereo node")
        print("the stereo node is active", flush=True)
        command = [
            sys.executable,
            "-m",
            "depth_replay",
            "record",
            "--out",
            str(recording),
            "--nice",
            "5",
            "--overwrite",
        ]
        recorder = group.start("recorder", [*command, *_repeated("--topic", wanted)])
        group.wait(lambda: watch.all_heard(wanted), _DISCOVERY_TIMEOUT_S, "a recorder that hears all outputs")
    return recorder


def _watch_player(group: ProcessGroup, bag: Path, pace: Pace, inputs: dict[str, str]) -> None:
    start_ns, end_ns = bag_span_ns(bag)
    frames = bag_topics(bag)[inputs[topics.LEFT_IMAGE]].count
    seconds = frames / pace.hz if pace.hz else (end_ns - start_ns) / 1e9
    total = round(seconds)
    with tqdm(total=total, desc="playing", unit="s", bar_format="{desc} {bar} {n}/{total} s") as bar:

        def tick(passed_s: float) -> None:
            if step := min(int(passed_s), total) - bar.n:
                bar.update(step)

        group.wait_for_end(group.processes["player"], 3 * seconds + 120, tick)
        bar.update(total - bar.n)


def _pause(group: ProcessGroup, seconds: float) -> None:
    until = time.monotonic() + seconds
    ended = group.processes["player"]
    group.processes = {name: p for name, p in group.processes.items() if p is not ended}
    group.wait(lambda: time.monotonic() > until, seconds + 1, "the last messages")


def _report(
    options: DemoOptions, pace: Pace, remaps: dict[str, str], recording: Path, sent: dict[str, Any]
) -> dict[str, Any]:
    sent_ns = {frame["stamp_ns"]: frame["sent_ns"] for frame in sent["frames"]}
    recorded = read_recorded(recording)
    answered = [stamp for stamp in sent_ns if stamp in recorded.received_ns]
    if not answered:
        log = (options.out / "logs" / "stereo_node.log").read_text(encoding="utf-8", errors="replace")
        raise BagError(
            f"expected some of {len(sent_ns)} frames answered, got none; how they were lost: "
            f"{frame_causes(recorded.diagnostics, len(sent_ns), 0)}; the node's last lines:\n"
            + "\n".join(log.splitlines()[-15:])
        )
    outputs = options.out / "outputs.mcap"
    join_bags(options.bag, recording, sent_ns, remaps, outputs)
    write_contact_sheet(outputs, moments(answered), options.out / "contact_sheet.png")
    trials = [asdict(trial) | {"keeps_hz": trial.rate_hz} for trial in pace.trials]
    about = {"bag": options.bag.name, "model": _model(pace.model), "trials": trials}
    about |= {"machine": machine(), "versions": versions()}
    score = score_bags(outputs, outputs, baseline_rule(options.parameters))
    return build_report(sent, recorded, score, about)


def baseline_rule(parameters: Sequence[str]) -> BaselineRule:
    """What the node's parameters (`name:=value`) say of the baseline: the score must take the same."""
    values = dict(parameter.split(":=", 1) for parameter in parameters if ":=" in parameter)
    names = {"given_m": "baseline_m", "low_m": "min_baseline_m", "high_m": "max_baseline_m"}
    return BaselineRule(**{field: float(values[name]) for field, name in names.items() if name in values})


def _model(model: str) -> dict[str, str]:
    path = resolve_model(model)
    return {"name": path.stem, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
