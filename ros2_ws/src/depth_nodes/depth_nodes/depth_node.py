# SPDX-License-Identifier: Apache-2.0
"""A managed node around a network: configure makes a LoadedNetwork, activate a Session; nothing outlives its state."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from depth_runtime.backends import BackendError
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from .diagnostics import Health
from .monitor import Monitor
from .network import LoadedNetwork
from .parameters import ParameterTable
from .runtime_log import forward_runtime_log
from .session import Session
from .settings import Settings
from .stage_times import StageTimes
from .watchdog import Watchdog

# How long a deactivation waits for the frame in work. After it the node is inactive and refuses to be activated until
# that frame has come back.
CLOSE_LIMIT_S = 30.0

S = TypeVar("S", bound=Settings)


class DepthNode(LifecycleNode, Generic[S]):
    """Lifecycle, parameters and diagnostics that all nodes share; subclasses load a network and open a session.

    `settings` is replaced, never changed, so other threads may read it at any time. A step of the lifecycle that raises
    is undone, logged and shown in diagnostics; the node stays in the state that it came from.
    """

    def __init__(self, name: str, subject: str, parameters: ParameterTable[S], **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._table = parameters
        self.settings: S = parameters.declare(self)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._stop_forwarding = forward_runtime_log(self.get_logger())
        self._network: LoadedNetwork | None = None
        self._session: Session | None = None
        self.monitor = Monitor(self, subject, self._health)
        self.times = StageTimes(self)
        self._watchdog = Watchdog(self, self.monitor.statistics, self._health)
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True)
        self._jump_handle = self.get_clock().create_jump_callback(backwards, post_callback=self._on_time_jump)
        self._refuse_unfit_transitions()

    @abstractmethod
    def load(self) -> LoadedNetwork:
        """The network of the current settings, with its topics."""

    @abstractmethod
    def open(self, network: LoadedNetwork) -> Session:
        """A session on this network, not started yet."""

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and create the publishers; a network that cannot be loaded leaves the node unconfigured."""

        def configure() -> None:
            self.settings = self._table.read(self)
            self._network = self.load()
            LifecycleNode.on_configure(self, state)

        return self._attempt("configure", configure, self._unload)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start to publish; refused while a frame of the last session is still in work."""

        def activate() -> None:
            network = self._network
            assert network is not None  # rclpy activates what is configured
            last = network.last_session
            if last and not last.is_out():
                raise BackendError(
                    f"a frame of the last activation is in work for {last.busy_s():.0f} s and has not come back, and "
                    "no second one may enter the network beside it; try again later, clean up and configure the node "
                    "to load the network anew, or restart it"
                )
            session = self.open(network)
            session.start()
            self._session = network.last_session = session
            LifecycleNode.on_activate(self, state)

        return self._attempt("activate", activate, self._close_session)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to publish; the network stays loaded."""

        def deactivate() -> None:
            self._close_session()
            LifecycleNode.on_deactivate(self, state)

        return self._attempt("deactivate", deactivate, self._unload, TransitionCallbackReturn.ERROR)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unload the network."""
        return self._attempt("clean up", self._unload, self._unload, TransitionCallbackReturn.ERROR)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        return self._attempt("shut down", self._unload, self._unload, TransitionCallbackReturn.ERROR)

    def _attempt(
        self,
        action: str,
        step: Callable[[], None],
        undo: Callable[[], None],
        failed: TransitionCallbackReturn = TransitionCallbackReturn.FAILURE,
    ) -> TransitionCallbackReturn:
        """Do a step; if it raises, undo it and say why. rclpy keeps the state on FAILURE, and unconfigures on ERROR."""
        try:
            step()
        except Exception as error:
            if not self.context.ok():  # a signal took the context away under the node's feet
                raise
            kind = "" if isinstance(error, (ValueError, BackendError)) else f"{type(error).__name__}: "
            self.monitor.fail(f"could not {action}: {kind}{error}")
            self.get_logger().debug(traceback.format_exc())
            undo()
            return failed
        self.monitor.failure = ""
        return TransitionCallbackReturn.SUCCESS

    def _close_session(self) -> None:
        if self._session and not self._session.close(CLOSE_LIMIT_S, self.monitor.publish) and self.context.ok():
            self.get_logger().error(f"the frame in work has not come back within {CLOSE_LIMIT_S:.0f} s")
        self._session = None

    def _unload(self) -> None:
        self._close_session()
        if self._network:
            self._network.close()
            self._network = None

    def destroy_node(self) -> None:
        """Stop the worker before the node's handles go."""
        self._close_session()
        self._stop_forwarding()
        super().destroy_node()

    def _refuse_unfit_transitions(self) -> None:
        """Respond to a change_state that does not fit the state with success = false.

        rclpy lets the error out instead, which ends the process and leaves the caller without a response.
        """
        service = self._service_change_state
        change = service.callback

        def respond(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
            try:
                return change(request, response)
            except rclpy_implementation.RCLError:
                if not self.context.ok():  # a signal ends the node
                    raise
                asked = request.transition.label or request.transition.id
                self.get_logger().warning(f"refused: transition {asked} does not fit the state '{self._state_label()}'")
                response.success = False
                return response

        service.callback = respond

    # Other callbacks of the executor thread

    def age_ms(self, stamp_ns: int) -> float:
        """Milliseconds from a stamp until now, by the node's clock."""
        return (self.get_clock().now().nanoseconds - stamp_ns) / 1e6

    def _on_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        named = {change.name: change.value for change in changes}
        try:
            self.settings = self._table.changed(self.settings, named, running=self._network is not None)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _on_time_jump(self, _jump: Any) -> None:
        if self._session:
            self._session.forget_waiting()

    def _state_label(self) -> str:
        return self._state_machine.current_state[1]

    def _twins(self) -> list[str]:
        """A word on other nodes of this name, whose services and parameters mix with this one's."""
        count = self.get_node_names_and_namespaces().count((self.get_name(), self.get_namespace()))
        if count < 2:
            return []
        name = self.get_fully_qualified_name()
        return [
            f"{count} nodes are called {name}: lifecycle and parameter calls reach any of them, and their outputs mix; "
            "give each a namespace or a name of its own"
        ]

    def _health(self) -> Health:
        network, session = self._network, self._session
        last = session or (network and network.last_session)
        return Health(
            state=self._state_label(),
            failure=self.monitor.failure,
            busy_s=last.busy_s() if last else 0.0,
            silence=session.silence() if session and not session.closed else "",
            warnings=(*self._twins(), *(session.warnings() if session and not session.closed else ())),
            watched=bool(session and session.watched),
            backend=network.backend if network else None,
            requested_backend=self.settings.backend,
            model_path=self.settings.model,
            counts=last.counts() if last else {},
        )
