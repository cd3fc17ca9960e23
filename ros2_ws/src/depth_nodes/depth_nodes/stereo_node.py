# SPDX-License-Identifier: Apache-2.0
"""Stereo node: rectified pairs in; disparity, depth, confidence, panoptic maps and points out."""

from __future__ import annotations

from typing import Any

from .depth_node import DepthNode
from .inputs import SUBSCRIBED
from .network import LoadedNetwork, load_network
from .outputs import toggles
from .parameters import ParameterTable
from .qos import check_overrides
from .run import run
from .settings import StereoSettings
from .stereo_outputs import OUTPUTS
from .stereo_session import StereoSession

PARAMETERS = ParameterTable(StereoSettings, toggles(OUTPUTS))


class StereoNode(DepthNode[StereoSettings]):
    """Managed node around a StereoPipeline."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("stereo_node", "stereo", PARAMETERS, **kwargs)
        check_overrides(self, SUBSCRIBED, [output.topic for output in OUTPUTS])

    def load(self) -> LoadedNetwork:
        """See `DepthNode.load`."""
        return load_network(self, self.settings, OUTPUTS)

    def open(self, network: LoadedNetwork) -> StereoSession:
        """See `DepthNode.open`."""
        return StereoSession(self, network)


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run depth_nodes stereo_node`."""
    return run(StereoNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
