# SPDX-License-Identifier: Apache-2.0
"""Settings of the nodes, typed; every field is a parameter with default, meaning, range and whether it is dynamic."""

from __future__ import annotations

from dataclasses import dataclass

from depth_runtime.backends import backend_names
from depth_runtime.camera import BASELINES
from depth_runtime.plan import parse_size
from depth_runtime.rectification import BaselineRule

from .inputs import AUTO, COMPRESSED, RAW
from .parameters import parameter


@dataclass(frozen=True)
class Settings:
    """What every node around a network can be told. `publish` names the outputs whose toggle is on."""

    publish: frozenset[str] = frozenset()
    model: str = parameter("stereo_s", "network: a zoo name or the path of an ONNX file")
    backend: str = parameter("auto", "what runs the network", choices=tuple(backend_names()))
    threads: int = parameter(0, "CPU threads of the network, 0 = one for each core", limits=(0, 128))
    engine_cache_dir: str = parameter("", "folder of built TensorRT engines, empty = the user's cache folder")
    network_size: str = parameter(
        "source",
        "network input: 'source' = camera resolution, 'default' = the network's own size, or 'WIDTHxHEIGHT' in px",
    )
    output_size: str = parameter(
        "source",
        "size of published maps: camera size, or the size at which the network saw the image",
        choices=("source", "network"),
    )
    image_transport: str = parameter(
        AUTO,
        "input images: raw (sensor_msgs/Image), compressed (CompressedImage on TOPIC/compressed), or auto: what is "
        "published, raw if both are",
        choices=(AUTO, RAW, COMPRESSED),
    )
    cache_camera_info: bool = parameter(False, "use the latest camera_info even if its stamp differs from the image's")
    max_age_s: float = parameter(
        0.0, "drop frames older than this when their turn comes, s; 0 = never", True, (0, 60.0)
    )
    min_depth_m: float = parameter(0.2, "depth below this becomes -Inf, metres", True, (0.0, 1000.0))
    max_depth_m: float = parameter(200.0, "depth beyond this becomes +Inf, metres", True, (0.0, 10000.0))
    confidence_threshold: float = parameter(
        0.0, "disparity and depth become NaN where confidence is lower", True, (0.0, 1.0)
    )
    frame_id: str = parameter("", "frame of every output; empty = that of the left image")
    depth_encoding: str = parameter(
        "32FC1",
        "depth image: 32FC1 metres (NaN, +-Inf) or 16UC1 millimetres (0 = invalid)",
        True,
        choices=("32FC1", "16UC1"),
    )
    point_stride: int = parameter(2, "points: every n-th pixel in each direction", True, (1, 16))
    autostart: bool = parameter(True, "configure and activate at start-up, without a lifecycle manager")

    def check(self) -> None:
        """Raise ValueError for values that contradict each other."""
        if self.min_depth_m >= self.max_depth_m:
            raise ValueError(f"expected min_depth_m < max_depth_m, got {self.min_depth_m} and {self.max_depth_m}")
        parse_size(self.network_size, (1, 1))


@dataclass(frozen=True)
class StereoSettings(Settings):
    """The stereo node's settings."""

    baseline_m: float = parameter(
        0.0, "baseline, whatever camera_info says, metres; 0 = from camera_info", limits=(0.0, 1000.0)
    )
    min_baseline_m: float = parameter(
        BASELINES.low_m, "a camera_info with a shorter baseline is refused, metres", limits=(0.0, 1000.0)
    )
    max_baseline_m: float = parameter(
        BASELINES.high_m, "a camera_info with a longer baseline is refused, metres", limits=(0.0, 1000.0)
    )

    approximate_sync: bool = parameter(False, "pair images whose stamps differ, instead of equal stamps only")
    approximate_sync_tolerance_s: float = parameter(
        0.01, "largest stamp difference of a pair, seconds", limits=(0.0, 1.0)
    )

    def check(self) -> None:
        """See `Settings.check`."""
        super().check()
        if self.min_baseline_m >= self.max_baseline_m:
            raise ValueError(
                f"expected min_baseline_m < max_baseline_m, got {self.min_baseline_m} and {self.max_baseline_m}"
            )

    @property
    def baselines(self) -> BaselineRule:
        """What the baseline of a calibration may be."""
        return BaselineRule(self.baseline_m, self.min_baseline_m, self.max_baseline_m)
