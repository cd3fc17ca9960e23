# SPDX-License-Identifier: Apache-2.0
"""Read the metadata of an ONNX file without loading it.

Only the outermost protobuf fields of ModelProto are walked, so the result comes in microseconds, needs
neither `onnx` nor `onnxruntime`, and a missing, truncated or foreign file is told apart before any
backend sees it.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from .spec import METADATA_KEY, ModelSpec, SpecError

# Field numbers of onnx.ModelProto and onnx.StringStringEntryProto.
_IR_VERSION, _GRAPH, _METADATA = 1, 7, 14
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_LONGEST_STRING = 16 << 20


class _BrokenError(Exception):
    """The bytes end early or do not follow the protobuf wire format."""


def read_spec(path: str | Path) -> ModelSpec:
    """Spec of the ONNX file at path. Raises SpecError with a remedy when there is none to trust."""
    metadata = read_metadata(path)
    if METADATA_KEY not in metadata:
        raise SpecError(
            f"expected metadata '{METADATA_KEY}' in {path}, got {sorted(metadata) or 'no metadata'}; "
            "this file was not written by depth_export: export the network with it"
        )
    return ModelSpec.from_json(metadata[METADATA_KEY])


def read_metadata(path: str | Path) -> dict[str, str]:
    """Metadata strings of the ONNX file at path.

    Raises SpecError when the file is missing, not ONNX, or truncated.
    """
    path = Path(path)
    if not path.is_file():
        raise SpecError(f"expected an ONNX file, got no file at {path}; check the model parameter")
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            return _walk_model(file, size)
    except _BrokenError as error:
        raise SpecError(
            f"expected a whole ONNX file at {path} ({size} bytes), got {error}; copy or download the file again"
        ) from error


def sha256(path: str | Path) -> str:
    """Hex digest of the file's bytes: the identity of a network."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _walk_model(file: BinaryIO, size: int) -> dict[str, str]:
    metadata: dict[str, str] = {}
    seen: set[int] = set()
    while file.tell() < size:
        field, wire = _tag(file)
        if not seen and (field, wire) != (_IR_VERSION, _VARINT):
            raise _BrokenError("bytes that do not start like ONNX")
        seen.add(field)
        if field == _METADATA and wire == _LENGTH:
            key, value = _string_entry(_block(file, size))
            metadata[key] = value
        else:
            _skip(file, wire, size)
    if _GRAPH not in seen:
        raise _BrokenError("no graph in it")
    return metadata


def _string_entry(block: bytes) -> tuple[str, str]:
    entry = {_KEY: "", _VALUE: ""}
    stream = BytesIO(block)
    while stream.tell() < len(block):
        field, wire = _tag(stream)
        if wire != _LENGTH:
            raise _BrokenError("damaged metadata")
        text = _block(stream, len(block))
        try:
            entry[field] = text.decode()
        except UnicodeDecodeError as error:
            raise _BrokenError("metadata that is not text") from error
    return entry[_KEY], entry[_VALUE]


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise _BrokenError("an end in the middle of a field (truncated)")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise _BrokenError("a number that is too long")


def _tag(file: BinaryIO) -> tuple[int, int]:
    tag = _varint(file)
    return tag >> 3, tag & 7


def _length(file: BinaryIO, size: int) -> int:
    length = _varint(file)
    if file.tell() + length > size:
        raise _BrokenError("an end in the middle of a field (truncated)")
    return length


def _block(file: BinaryIO, size: int) -> bytes:
    length = _length(file, size)
    if length > _LONGEST_STRING:
        raise _BrokenError(f"a metadata entry of {length} bytes")
    return file.read(length)


def _skip(file: BinaryIO, wire: int, size: int) -> None:
    if wire == _VARINT:
        _varint(file)
        return
    if wire not in (_FIXED64, _FIXED32, _LENGTH):
        raise _BrokenError(f"wire type {wire}, which ONNX does not use")
    length = _length(file, size) if wire == _LENGTH else {_FIXED64: 8, _FIXED32: 4}[wire]
    if file.tell() + length > size:
        raise _BrokenError("an end in the middle of a field (truncated)")
    file.seek(length, 1)
