# SPDX-License-Identifier: Apache-2.0
"""What activating a node makes: its subscriptions and the thread that works on frames in the network's buffers."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from depth_runtime.timing import StageTimer

from .maps import Maps
from .problems import BadMessageError
from .settings import Settings
from .worker import LatestWorker

if TYPE_CHECKING:
    from .depth_node import DepthNode
    from .network import LoadedNetwork

# A stamp that lies further ahead of the node's clock than this is told.
AHEAD_S = 1.0
# How often a close that waits looks around.
_LOOK_AROUND_S = 0.5

F = TypeVar("F")


@dataclass(frozen=True)
class Job(Generic[F]):
    """Messages that make up one frame: stamp of its image, time.perf_counter() at which it was complete."""

    stamp_ns: int
    received_s: float
    messages: F


class Session(ABC, Generic[F]):
    """From activate to deactivate. Callbacks put frames together; a worker thread computes and publishes."""

    def __init__(self, node: DepthNode, network: LoadedNetwork) -> None:
        self._node, self._network = node, network
        self.watched = False
        self.last_frame_s = 0.0
        self.closed = False
        # What the worker finds odd in the messages, by subject; replaced, never changed.
        self.doubts: dict[str, str] = {}
        self._worker: LatestWorker[Job[F]] = LatestWorker(self._work, self._on_error)

    # Executor thread

    def start(self) -> None:
        """Subscribe and start to work; if that fails, nothing is left behind."""
        with ExitStack() as undo:
            undo.callback(self._unsubscribe)
            self._subscribe()
            self._worker.start()
            undo.pop_all()
        self.last_frame_s = time.perf_counter()

    def hand_in(self, job: Job[F]) -> None:
        """Work on this frame next; one that still waits is dropped."""
        self.last_frame_s = job.received_s
        if self._worker.put(job):
            self._node.monitor.statistics.drop("superseded")

    def forget_waiting(self) -> None:
        """Drop what waits (after a jump in time)."""
        self._worker.clear()

    def busy_s(self) -> float:
        """Seconds that the frame in work has taken so far, 0 while none is."""
        return self._worker.busy_s()

    def close(self, limit_s: float, meanwhile: Callable[[], None]) -> bool:
        """End the subscriptions and wait until the thread is out of the network's buffers; whether it is.

        From the call on, a frame in work is not published any more. Gives up after limit_s, or when the node's
        context is shut down; meanwhile() is called now and then.
        """
        self.closed = True
        self._unsubscribe()
        self._worker.stop()
        deadline_s = time.monotonic() + limit_s
        while not self._worker.join(_LOOK_AROUND_S):
            if time.monotonic() >= deadline_s or not self._node.context.ok():
                return False
            meanwhile()
        return True

    def is_out(self) -> bool:
        """Whether the thread has ended."""
        return self._worker.join(0)

    @abstractmethod
    def silence(self) -> str:
        """Why no frame came lately, "" if one did."""

    def warnings(self) -> list[str]:
        """What is wrong while frames are answered, for log and diagnostics; called once a second."""
        return [text for text in self.doubts.values() if text]

    @abstractmethod
    def counts(self) -> dict[str, Any]:
        """What came and what was lost on the way to a frame, for diagnostics."""

    @abstractmethod
    def _subscribe(self) -> None:
        """Create the subscriptions."""

    @abstractmethod
    def _unsubscribe(self) -> None:
        """Take down what subscriptions there are."""

    # Worker thread

    @abstractmethod
    def _predict(self, job: Job[F], maps: set[str], settings: Settings, timer: StageTimer) -> Maps:
        """Maps of one frame. Raises BadMessageError for messages that cannot be answered."""

    def _work(self, job: Job[F]) -> None:
        node, outputs, settings = self._node, self._network.outputs, self._node.settings
        wanted = outputs.wanted(settings)
        self.watched = bool(wanted)
        if not wanted:
            return
        if 0 < settings.max_age_s * 1e3 < (age_ms := node.age_ms(job.stamp_ns)):
            self._drop_old(age_ms / 1e3 - (time.perf_counter() - job.received_s), settings.max_age_s)
            return
        timer = StageTimer(job.received_s)
        timer.mark("wait")
        try:
            maps = self._predict(job, outputs.maps_for(wanted), settings, timer)
        except BadMessageError as error:
            node.monitor.problem(error.cause, str(error))
            return
        if self.closed:
            node.monitor.statistics.drop("deactivated")
            return
        outputs.publish(maps, wanted)
        node.monitor.statistics.frame_answered(timer.finish(), maps.valid_ratio)
        age_ms = node.age_ms(job.stamp_ns)
        self._doubt("clock", self._from_the_future(-age_ms / 1e3))
        node.times.publish(job.stamp_ns, age_ms, timer.milliseconds)

    def _doubt(self, subject: str, text: str) -> None:
        """Something odd about the messages, told as long as it lasts; "" ends it."""
        if self.doubts.get(subject, "") != text:
            self.doubts = self.doubts | {subject: text}

    def _drop_old(self, arrival_age_s: float, max_age_s: float) -> None:
        """Drop a frame that is too old; one that already was when it came has a wrong stamp, or a wrong clock."""
        if arrival_age_s <= max_age_s:
            self._node.monitor.statistics.drop("too old")
            return
        self._node.monitor.problem(
            "too old",
            f"the frame's stamp was {arrival_age_s:.1f} s old by the {self._clock()} when it came, and max_age_s is "
            f"{max_age_s:g}; for recorded or simulated images set use_sim_time and publish /clock (ros2 bag play "
            "--clock), else set the clock of the camera's computer (NTP, PTP) or mend the driver's stamps, or set "
            "max_age_s to 0",
        )

    def _from_the_future(self, ahead_s: float) -> str:
        """What to say of a stamp that lies ahead of now, "" if it does not."""
        if ahead_s < AHEAD_S:
            return ""
        return (
            f"stamps lie {ahead_s:.0f} s ahead of the {self._clock()}: transforms at these stamps do not exist yet, "
            "and max_age_s cannot tell old frames; set the clocks of both computers (NTP, PTP), or with use_sim_time "
            "publish /clock"
        )

    def _clock(self) -> str:
        simulated = self._node.get_parameter("use_sim_time").value
        return "node's simulated clock" if simulated else "node's system clock"

    def _on_error(self, error: Exception) -> None:
        if not self.closed and self._node.context.ok():
            self._node.monitor.problem("internal error", f"{type(error).__name__}: {error}")
