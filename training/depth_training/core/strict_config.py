# SPDX-License-Identifier: Apache-2.0
"""Frozen dataclasses from TOML, strictly: an unknown key or a value of another type is an error that says what fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read_config(kind: type[T], path: str | Path, overrides: Sequence[str] = ()) -> T:
    """A config of dataclass `kind` from a TOML file and overrides "section.key=value" (values as in TOML).

    Raises ValueError for a file that is not TOML and for everything that `parse` and `override` refuse.
    """
    data = _parse_toml(Path(path).read_text(encoding="utf-8"), str(path))
    for text in overrides:
        override(data, text)
    return parse(kind, data)


def parse(kind: type[T], data: Mapping[str, Any], section: str = "") -> T:
    """An instance of the dataclass `kind`; keys that `data` lacks keep their defaults.

    Raises ValueError, listing the known keys, for an unknown key, and for a value of another type.
    """
    known = sorted(field.name for field in fields(kind))
    unknown = sorted(set(data) - set(known))
    if unknown:
        place = f"section [{section}]" if section else "the top level"
        raise ValueError(f"expected keys among {known} in {place}, got {unknown}; check the spelling")
    kinds = get_type_hints(kind)
    return kind(**{name: _typed(kinds[name], data[name], f"{section}.{name}".lstrip(".")) for name in data})


def override(data: dict[str, Any], text: str) -> None:
    """Set one value "section.key=value" in nested tables; a value that is not TOML counts as a string.

    Raises ValueError when `text` has no "=" or leads through a value that is no section.
    """
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"expected section.key=value, got '{text}'; for example schedule.steps=100")
    *sections, key = name.strip().split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise ValueError(f"expected '{section}' in '{name}' to be a section, got the value {data!r}")
    try:
        data[key] = _parse_toml(f"value = {value}", text)["value"]
    except ValueError:
        data[key] = value.strip()


def check_fields(instance: object, values: Mapping[str, Any], section: str) -> dict[str, Any]:
    """`values` for fields of the dataclass `instance`, lists turned into tuples. Raises ValueError as `parse` does."""
    known = {field.name: type(getattr(instance, field.name)) for field in fields(instance)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"expected keys among {sorted(known)} in section [{section}], got {unknown}; check them")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return {name: _typed(known[name], value, f"{section}.{name}") for name, value in plain.items()}


def _typed(kind: Any, value: Any, key: str) -> Any:
    if is_dataclass(kind) and isinstance(value, Mapping):
        return parse(kind, value, key)
    if kind is float and type(value) is int:
        return float(value)
    plain = get_origin(kind) or kind
    if plain is tuple and isinstance(value, (list, tuple)):
        return _typed_items(get_args(kind), value, key)
    if type(value) is not plain:
        raise ValueError(f"expected {plain.__name__} for '{key}', got {value!r}; correct the file or the override")
    return value


def _typed_items(kinds: tuple[Any, ...], values: Sequence[Any], key: str) -> tuple[Any, ...]:
    """Items of a tuple[kind, ...], of a tuple[kind, kind, kind], or of a tuple of anything (no kinds)."""
    if not kinds:
        return tuple(values)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(kinds) != len(values):
        raise ValueError(f"expected {len(kinds)} values for '{key}', got {list(values)!r}; correct their number")
    return tuple(_typed(kind, value, f"{key}[{i}]") for i, (kind, value) in enumerate(zip(kinds, values, strict=True)))


def _parse_toml(text: str, source: str) -> dict[str, Any]:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"expected TOML in {source}, got {error}") from error
