# SPDX-License-Identifier: Apache-2.0
"""What configuring a node makes: a loaded network with its pipeline, its output topics and its labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from depth_runtime.backends import Backend, make_backend
from depth_runtime.pipeline import MAPS, StereoPipeline
from depth_runtime.plan import Size, parse_size
from depth_runtime.zoo import resolve_model
from rclpy.lifecycle import LifecycleNode

from .labels import LabelPublishers
from .outputs import Output, OutputPublishers
from .settings import Settings
from .views import Views

if TYPE_CHECKING:
    from .session import Session


@dataclass(eq=False)
class LoadedNetwork:
    """From configure to cleanup. last_session computed in the pipeline's buffers, and may still do."""

    backend: Backend
    pipeline: StereoPipeline
    outputs: OutputPublishers
    labels: LabelPublishers
    views: Views
    last_session: Session | None = None

    def close(self) -> None:
        """Take the topics down; the backend goes with its last user."""
        self.labels.destroy()
        self.outputs.destroy()


def load_network(node: LifecycleNode, settings: Settings, outputs: Sequence[Output]) -> LoadedNetwork:
    """Load the network of the settings and create its topics.

    Whatever is raised (SpecError, BackendError, ValueError and what libraries raise), nothing is left behind.
    """
    path = resolve_model(settings.model)
    backend = make_backend(path, settings.backend, settings.threads, settings.engine_cache_dir)
    size = parse_size(settings.network_size, backend.spec.default_size)
    if size:
        _check_size(size, backend.spec.size_multiple)
    pipeline = StereoPipeline(backend, size, settings.output_size)
    views = Views(backend.spec.labels)
    with ExitStack() as undo:
        publishers = OutputPublishers(node, outputs, pipeline.available(MAPS))
        undo.callback(publishers.destroy)
        network = LoadedNetwork(backend, pipeline, publishers, LabelPublishers(node, backend.spec), views)
        undo.pop_all()
    node.get_logger().info(f"{path} runs on {backend.name}: {backend.device}")
    if backend.fallback_reason:
        node.get_logger().error(backend.fallback_reason)
    return network


def _check_size(size: Size, multiple: int) -> None:
    if all(side % multiple == 0 for side in size):
        return
    below = [max(multiple, side // multiple * multiple) for side in size]
    above = [-(-side // multiple) * multiple for side in size]
    raise ValueError(
        f"expected network_size in multiples of {multiple} px for this network, got {size[1]}x{size[0]}; "
        f"{below[1]}x{below[0]} and {above[1]}x{above[0]} fit"
    )
