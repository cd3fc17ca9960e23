# SPDX-License-Identifier: Apache-2.0
"""Built engines on disk: each under the key of everything that it depends on, whole or not at all.

Beside `<name>.plan` stands `<name>.json`, which repeats the key and the plan's checksum. A plan is used only when
both agree with what is asked for; everything else (truncated, foreign, another version, another network) is built anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files.atomic import write_whole

log = logging.getLogger(__name__)

FORMAT = 1
_POLL_S = 0.1
_REPORT_S = 5.0


@dataclass(frozen=True)
class EngineKey:
    """What a plan depends on.

    flavour and version: the library; gpu: its product name, "any" where engines fit every GPU of one compute
    capability; capability: "8.6"; shapes: input name -> shape; settings: options of the builder.
    """

    model: str
    onnx_sha256: str
    flavour: str
    version: str
    gpu: str
    capability: str
    precision: str
    shapes: dict[str, tuple[int, ...]]
    settings: dict[str, int]

    def as_json(self) -> dict[str, object]:
        """The key as JSON holds it."""
        return json.loads(json.dumps({"format": FORMAT, **asdict(self)}))

    @property
    def stem(self) -> str:
        """File name without suffix: readable in front, unique by a digest of the whole key at its end."""
        digest = hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:12]
        height, width = next(iter(self.shapes.values()))[1:3]
        return f"{self.model}-{width}x{height}-{self.flavour}{self.version}-sm{self.capability}-{digest}"


class EngineCache:
    """A folder of engines that several processes may share. It is created when the first engine is written."""

    def __init__(self, folder: Path | str = "") -> None:
        self.folder = Path(folder).expanduser() if folder else default_folder()
        self._refused: set[str] = set()

    def get_or_build(self, key: EngineKey, build: Callable[[], bytes]) -> bytes:
        """The plan of this key: from the folder, or built and stored.

        Of several processes that ask for one key, one builds and the others wait for its plan. In a folder that
        cannot be written the plan is built in memory only, with a warning.
        """
        plan, reason = self.find(key)
        if plan is not None:
            return plan
        try:
            with self._locked(key):
                plan, reason = self.find(key)
                if plan is None:
                    log.info("no engine %s in %s (%s)", key.stem, self.folder, reason)
                    plan = self._build_and_store(key, build)
                return plan
        except _UnwritableError as error:
            log.warning(
                "engines cannot be stored in %s (%s): building in memory, for this run only; "
                "make the folder writable or set engine_cache_dir to one that is",
                self.folder,
                error,
            )
        return build()

    def find(self, key: EngineKey) -> tuple[bytes | None, str]:
        """The plan of this key and "", or None and why there is none that can be trusted."""
        if key.stem in self._refused:
            return None, "the library refused it"
        plan_path, metadata_path = self.paths(key)
        try:
            metadata = json.loads(metadata_path.read_text())
            plan = plan_path.read_bytes()
        except FileNotFoundError:
            return None, "not built yet"
        except (OSError, ValueError) as error:
            return None, f"unreadable: {error}"
        if not isinstance(metadata, dict) or metadata.get("key") != key.as_json():
            return None, "its description is that of another engine"
        if metadata.get("plan_sha256") != hashlib.sha256(plan).hexdigest():
            return None, f"its {len(plan)} bytes are not those that were written"
        return plan, ""

    def discard(self, key: EngineKey) -> None:
        """Look no more at a plan that the library refused to load, until another one is stored in its place."""
        self._refused.add(key.stem)

    def paths(self, key: EngineKey) -> tuple[Path, Path]:
        """Where plan and description of a key stand."""
        return self.folder / f"{key.stem}.plan", self.folder / f"{key.stem}.json"

    def _build_and_store(self, key: EngineKey, build: Callable[[], bytes]) -> bytes:
        start = time.monotonic()
        plan = build()
        metadata = {
            "key": key.as_json(),
            "plan_sha256": hashlib.sha256(plan).hexdigest(),
            "plan_bytes": len(plan),
            "build_seconds": round(time.monotonic() - start, 1),
            "built": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        plan_path, metadata_path = self.paths(key)
        try:
            # The description last: without the right one a plan is not looked at.
            write_whole(plan_path, plan, durable=True)
            write_whole(metadata_path, json.dumps(metadata, indent=2).encode(), durable=True)
            self._refused.discard(key.stem)
        except OSError as error:
            log.warning("the engine could not be stored as %s (%s): it will be built again", plan_path, error)
        return plan

    @contextlib.contextmanager
    def _locked(self, key: EngineKey) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # The kernel frees the lock when its owner dies; the empty file stays, for removing it would race.
            lock = os.open(self.folder / f"{key.stem}.lock", os.O_RDONLY | os.O_CREAT, 0o666)
        except OSError as error:
            raise _UnwritableError(str(error)) from error
        try:
            _wait_for(lock, key.stem)
            yield
        finally:
            os.close(lock)


class _UnwritableError(Exception):
    """The folder cannot hold engines."""


def default_folder() -> Path:
    """$XDG_CACHE_HOME/depth_stack/engines, or ~/.cache/depth_stack/engines."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depth_stack" / "engines"


def _wait_for(lock: int, name: str) -> None:
    start = told = time.monotonic()
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= told:
                log.info("another process builds %s, waiting (%.0f s)", name, time.monotonic() - start)
                told = time.monotonic() + _REPORT_S
        time.sleep(_POLL_S)
