# SPDX-License-Identifier: Apache-2.0
"""Sources made of others: several joined, or one without its truth."""

from __future__ import annotations

from collections.abc import Sequence

from .stereo_batch import BatchSource, StereoBatch


class MixedSource:
    """Batches of several sources, joined."""

    def __init__(self, sources: Sequence[BatchSource]) -> None:
        self._sources = sources

    @property
    def position(self) -> int:
        """Number of the next batch, the same in all sources."""
        return self._sources[0].position

    @position.setter
    def position(self, value: int) -> None:
        for source in self._sources:
            source.position = value

    def next_batch(self) -> StereoBatch:
        """This process's part of each source's batch at `position`."""
        return StereoBatch.cat([source.next_batch() for source in self._sources])


class WithoutTruth:
    """Batches of a source with all truth hidden."""

    def __init__(self, source: BatchSource) -> None:
        self._source = source

    @property
    def position(self) -> int:
        """Number of the next batch."""
        return self._source.position

    @position.setter
    def position(self, value: int) -> None:
        self._source.position = value

    def next_batch(self) -> StereoBatch:
        """This process's part of the batch at `position`: images only."""
        return self._source.next_batch().without_truth()
