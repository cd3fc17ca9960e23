# SPDX-License-Identifier: Apache-2.0
"""What an INT8 file may lose against its source, and what it does lose."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_runtime.tables import markdown_table


class QuantisationError(ValueError):
    """The INT8 file loses more than the gate allows."""


@dataclass(frozen=True)
class Gate:
    """What INT8 may cost.

    epe_percent: relative loss of EPE on the held-out pairs; semantic_percent: pixels there whose class changes;
    drift_px: mean change of the disparity by one part of the network alone, above which that part stays FP32,
    measured on drift_pairs calibration pairs; keep: parts that stay FP32 in any case.
    """

    epe_percent: float = 5.0
    semantic_percent: float = 5.0
    drift_px: float = 0.2
    drift_pairs: int = 3
    keep: tuple[str, ...] = ()


@dataclass
class Report:
    """What INT8 costs, and what stayed FP32.

    drift_px by part of the network; kept: parts that stayed FP32; unseen: products that stayed FP32 since no output
    with a gate needs them; epe_* and semantic_changed on held-out pairs.
    """

    drift_px: dict[str, float] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    unseen: int = 0
    epe_fp32_px: float = float("nan")
    epe_int8_px: float = float("nan")
    semantic_changed_percent: float = 0.0

    @property
    def loss_percent(self) -> float:
        """Relative loss of EPE; negative when INT8 is the better one."""
        return 100 * (self.epe_int8_px / self.epe_fp32_px - 1)

    def _fate(self, part: str) -> str:
        if part in self.kept:
            return "FP32"
        return "see its parts" if any(other.startswith(f"{part}.") for other in self.drift_px) else "INT8"

    def table(self) -> str:
        """What lost how much."""
        parts = [(name, f"{value:.3f}", self._fate(name)) for name, value in self.drift_px.items()]
        if self.unseen:
            parts.append((f"{self.unseen} products that only outputs without a gate need", "", "FP32"))
        pairs = [
            ("EPE px", f"{self.epe_fp32_px:.3f}", f"{self.epe_int8_px:.3f}", f"{self.loss_percent:.1f}"),
            ("pixels of another class %", "", "", f"{self.semantic_changed_percent:.1f}"),
        ]
        by_part = markdown_table(("part in INT8", "disparity changes by px", "stays"), parts, text_columns=(0, 2))
        return f"{by_part}\n\n{markdown_table(('held-out pairs', 'FP32', 'INT8', 'loss %'), pairs)}"

    def check(self, gate: Gate) -> None:
        """Raise QuantisationError when the loss is above the gate."""
        if self.loss_percent <= gate.epe_percent and self.semantic_changed_percent <= gate.semantic_percent:
            return
        raise QuantisationError(
            f"expected INT8 to lose at most {gate.epe_percent:g} % EPE and to change at most "
            f"{gate.semantic_percent:g} % of the classes, "
            f"got {self.loss_percent:.1f} % and {self.semantic_changed_percent:.1f} %; "
            "nothing was written: calibrate on images like the held-out ones, or lower the drift limit"
        )
