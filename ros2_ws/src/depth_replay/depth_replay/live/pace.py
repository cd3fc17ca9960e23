# SPDX-License-Identifier: Apache-2.0
"""Which network a demo runs, and how fast it plays, so that on this machine every frame is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from depth_runtime.camera_info import image_projection
from depth_runtime.choice import Trial, choose, try_network, try_networks
from depth_runtime.onnx_file import read_spec
from depth_runtime.plan import Size, make_plan
from depth_runtime.tables import plain_table
from depth_runtime.zoo import resolve_model

from ..bags.bag import bag_span_ns, bag_topics, read_bag
from ..bags.contents import BagError
from ..messages.definitions import deserialize

AUTO = "auto"
# The network that is taken keeps this rate where one does: fast enough to watch, slow enough for the best network.
WANTED_HZ = 5.0


@dataclass(frozen=True)
class Pace:
    """The network, frames per second (None = as recorded), and the trials that led to them."""

    model: str
    hz: float | None
    trials: tuple[Trial, ...] = ()

    def __str__(self) -> str:
        """The trials as a table, and what follows from them; empty without a trial."""
        if not self.trials:
            return ""
        rows = [(t.model, f"{t.milliseconds:.0f}", f"{t.rate_hz:.1f}") for t in self.trials]
        text = plain_table(("network on this machine", "ms", "keeps Hz"), rows)
        rate = f"{self.hz:.3g} Hz" if self.hz else "the recorded rate"
        return f"{text}\n\nthis machine: {Path(self.model).stem} at {rate}"


def find_pace(bag: Path, left_image: str, left_info: str, model: str, hz: float | str | None) -> Pace:
    """The pace of a demo; model and hz as in DemoOptions, topics by their recorded names.

    Networks are tried only where something is left to them, at the size of the bag's images.
    """
    if model != AUTO and hz != AUTO:
        return Pace(model, _number(hz))
    size = _image_size(bag, left_info)
    if model == AUTO:
        multiple = read_spec(resolve_model("stereo_s")).size_multiple
        trials = try_networks(size=make_plan(size, multiple).network)
        chosen = choose(trials, WANTED_HZ)
    else:
        multiple = read_spec(resolve_model(model)).size_multiple
        trials = [try_network(model, size=make_plan(size, multiple).network)]
        chosen = trials[0]
    rate = sustained_hz(chosen.rate_hz, recorded_hz(bag, left_image)) if hz == AUTO else _number(hz)
    return Pace(chosen.model, rate, tuple(trials))


def sustained_hz(kept_hz: float, recorded_hz: float) -> float:
    """The recorded rate where it is kept, else whole frames per second, below one a whole number of seconds a frame."""
    if kept_hz >= recorded_hz:
        return recorded_hz
    return float(int(kept_hz)) if kept_hz >= 1 else 1 / -(-1 // kept_hz)


def recorded_hz(bag: Path, topic: str) -> float:
    """Mean rate of a topic over a bag."""
    start_ns, end_ns = bag_span_ns(bag)
    count = bag_topics(bag)[topic].count
    return (count - 1) * 1e9 / (end_ns - start_ns) if count > 1 and end_ns > start_ns else 1.0


def _number(hz: float | str | None) -> float | None:
    return None if hz is None else float(hz)


def _image_size(bag: Path, left_info: str) -> Size:
    """Size of the bag's images, from its first camera_info."""
    for message in read_bag(bag, {left_info}):
        return image_projection(deserialize(message.data, message.msgtype), "left")[1]
    raise BagError(f"expected messages on {left_info} in {bag}, got none; record the camera_info of both cameras")
