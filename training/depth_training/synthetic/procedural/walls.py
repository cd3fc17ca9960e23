# SPDX-License-Identifier: Apache-2.0
"""Textures of buildings: plaster, brick, facades with windows, shop fronts, roof tiles."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import (
    SIZE,
    Colour,
    fbm,
    flat,
    grain,
    hue,
    mixed,
    polylines,
    ramp,
    shaded,
    step,
    tiles,
)


def plaster(rng: np.random.Generator) -> np.ndarray:
    """A painted wall with stains, streaks of rain and a few cracks."""
    base = (
        hue(rng, (5, 60), (0.05, 0.4), (0.6, 0.9))
        if rng.random() < 0.8
        else hue(rng, (90, 230), (0.05, 0.2), (0.6, 0.85))
    )
    value = 1 + 0.06 * fbm(rng, 2, 4) + 0.035 * grain(rng, 2) + 0.05 * fbm(rng, 8, 4, stretch=(6, 1))
    image = flat(base) * value[..., None]
    bare = step(fbm(rng, 4, 5), rng.uniform(1.6, 2.4), 0.12)
    image = mixed(image, hue(rng, (10, 40), (0.1, 0.3), (0.45, 0.6)), bare)
    return mixed(image, shaded(base, 0.55), 0.5 * polylines(rng, 4, 40, 7, 1))


def brick(rng: np.random.Generator) -> np.ndarray:
    """Rows of bricks of varying tone with mortar."""
    rows = int(rng.integers(12, 30))
    joint, per_tile = tiles(rng, rows, rows // 2, 0.5, rng.uniform(2, 4))
    base = hue(rng, (5, 30), (0.3, 0.6), (0.4, 0.65))
    colours = [shaded(base, 0.6), base, hue(rng, (10, 35), (0.25, 0.5), (0.55, 0.75))]
    image = ramp(per_tile * 0.9 + 0.08 * fbm(rng, 4, 4), colours)
    image *= (1 + 0.06 * grain(rng, 1.5) + 0.06 * fbm(rng, 2, 3))[..., None]
    mortar = (0.68, 0.65, 0.6) if rng.random() < 0.7 else (0.3, 0.29, 0.28)
    return mixed(image, mortar, 0.9 * joint)


def _rectangle(image: np.ndarray, x: float, y: float, w: float, h: float, colour: Colour | np.ndarray) -> None:
    cv2.rectangle(image, (round(x), round(y)), (round(x + w) - 1, round(y + h) - 1), [float(c) for c in colour], -1)


def _glass(rng: np.random.Generator, w: int, h: int) -> np.ndarray:
    """A pane [h, w, 3]: dark room, reflected sky, perhaps a curtain, a blind or a plant."""
    y = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, w, dtype=np.float32)[None]
    bright = rng.uniform(0.25, 0.65) * np.clip(1 - y * rng.uniform(0.5, 1.4) + 0.4 * (x - 0.5) * rng.normal(), 0, 1)
    pane = 0.1 + bright[..., None] * np.array((0.62, 0.75, 0.9), np.float32)
    kind = rng.random()
    cloth = np.asarray(hue(rng, (0, 360), (0.0, 0.3), (0.6, 0.95)), np.float32)
    if kind < 0.35:
        fold = 0.8 + 0.2 * np.cos(x * rng.uniform(20, 50)) + 0 * y
        side = (np.abs(x - 0.5) > rng.uniform(0.15, 0.4)) & (y < rng.uniform(0.7, 1.1))
        pane = np.where(side[..., None], cloth * fold[..., None], pane)
    elif kind < 0.6:
        slat = 0.85 + 0.15 * np.sign(np.cos(y * rng.uniform(40, 80))) + 0 * x
        pane = np.where((y < rng.uniform(0.2, 0.9))[..., None] + 0 * pane > 0, cloth * slat[..., None], pane)
    return pane


def _window(rng: np.random.Generator, image: np.ndarray, box: tuple[float, float, float, float], style: dict) -> None:
    """One window with frame, mullions, sill and perhaps shutters; box: x, y, w, h in pixels."""
    x, y, w, h = box
    frame, trim = style["frame"], style["trim"]
    if style["shutters"]:
        for sx in (x - 0.42 * w, x + 1.02 * w):
            _rectangle(image, sx, y - 2, 0.4 * w, h + 4, shaded(style["shutter"], rng.uniform(0.85, 1.1)))
            for line in np.arange(y + 3, y + h, 6):
                _rectangle(image, sx + 2, line, 0.4 * w - 4, 2, shaded(style["shutter"], 0.7))
    _rectangle(image, x - 5, y - 5, w + 10, h + 10, trim)
    _rectangle(image, x - 1, y - 1, w + 2, h + 2, frame)
    left, top, wide, tall = round(x) + 3, round(y) + 3, round(w) - 6, round(h) - 6
    image[top : top + tall, left : left + wide] = _glass(rng, wide, tall)[
        : image.shape[0] - top, : image.shape[1] - left
    ]
    _rectangle(image, x + w / 2 - 2, y, 4, h, frame)
    _rectangle(image, x, y + h * style["transom"] - 1.5, w, 3, frame)
    _rectangle(image, x - 9, y + h + 2, w + 18, 6, shaded(trim, 0.95))
    _rectangle(image, x - 9, y + h + 8, w + 18, 4, shaded(style["wall"], 0.6))


def facade(rng: np.random.Generator) -> np.ndarray:
    """Storeys of windows, each furnished differently, on plaster or brick; 512 px stand for about 10 m."""
    image = brick(rng) if rng.random() < 0.35 else plaster(rng)
    rows, columns = int(rng.integers(3, 5)), int(rng.integers(3, 6))
    style = {
        "frame": hue(rng, (0, 60), (0, 0.2), (0.75, 0.98))
        if rng.random() < 0.7
        else hue(rng, (0, 360), (0.2, 0.5), (0.15, 0.4)),
        "trim": hue(rng, (20, 60), (0.03, 0.2), (0.6, 0.95)),
        "shutter": hue(rng, (0, 250), (0.3, 0.6), (0.25, 0.55)),
        "wall": tuple(float(c) for c in image.mean((0, 1))),
        "shutters": rng.random() < 0.35,
        "transom": rng.uniform(0.25, 0.5),
    }
    dy, dx = SIZE / rows, SIZE / columns
    w, h = dx * rng.uniform(0.36, 0.48), dy * rng.uniform(0.5, 0.62)
    for row in range(rows):
        for column in range(columns):
            place = ((column + 0.5) * dx - w / 2, (row + 0.52) * dy - h / 2)
            _window(rng, image, (*place, w, h), style)
        if style["transom"] > 0.35:
            _rectangle(image, 0, row * dy - 4, SIZE, 9, style["trim"])
    return image * (1 + 0.04 * fbm(rng, 2, 5))[..., None]


def shop(rng: np.random.Generator) -> np.ndarray:
    """A ground floor: doors, display windows and lettered fascias; 512 px stand for about 10 m by 4 m twice."""
    image = concrete_base(rng)
    x = float(rng.integers(6, 20))
    while x < SIZE - 60:
        w, accent = float(rng.integers(70, 150)), hue(rng, (0, 360), (0.35, 0.8), (0.3, 0.75))
        for top in (0.0, SIZE / 2):
            _rectangle(image, x, top + 18, w, 34, accent)
            _letters(rng, image, x + 6, top + 24, w - 12, shaded((0.95, 0.92, 0.85), rng.uniform(0.8, 1)))
            image[round(top) + 62 : round(top) + 226, round(x) + 4 : round(x + w) - 4] = 0.1
            _display(rng, image, round(x) + 8, round(top) + 66, round(w) - 16, 156)
            _rectangle(image, x, top + 228, w, 28, shaded(accent, 0.6))
        x += w + float(rng.integers(8, 30))
    return image


def concrete_base(rng: np.random.Generator) -> np.ndarray:
    """The stone between shop windows."""
    base = hue(rng, (15, 55), (0.04, 0.25), (0.45, 0.75))
    joint, per_tile = tiles(rng, 12, 6, 0.5, 2)
    image = flat(base) * (0.88 + 0.2 * per_tile + 0.05 * fbm(rng, 4, 5))[..., None]
    return mixed(image, shaded(base, 0.5), 0.6 * joint)


def _display(rng: np.random.Generator, image: np.ndarray, x: int, y: int, w: int, h: int) -> None:
    """A window display [h, w]: a lit room, shelves of goods in front, a reflection."""
    glow = 0.28 + 0.25 * np.linspace(1, 0, h, dtype=np.float32)[:, None, None]
    image[y : y + h, x : x + w] = glow * np.asarray(hue(rng, (25, 60), (0.1, 0.4), (0.7, 1.0)), np.float32)
    for _ in range(int(w * h / 220)):
        size = rng.integers(4, 16, 2)
        px, py = x + rng.integers(0, max(1, w - size[0])), y + h - 8 - 26 * int(rng.integers(0, 4)) - int(size[1])
        _rectangle(image, px, py, size[0], size[1], hue(rng, (0, 360), (0.1, 0.8), (0.2, 0.95)))
    for post in range(x + w // 3, x + w - 10, max(30, w // 3)):
        _rectangle(image, post, y, 4, h, (0.75, 0.75, 0.74))


def _letters(rng: np.random.Generator, image: np.ndarray, x: float, y: float, w: float, colour: Colour) -> None:
    """Something like lettering: strokes of varying shape, no readable word."""
    while w > 12:
        wide = float(rng.integers(7, 14))
        for _ in range(3):
            a, b = rng.uniform((0, 0), (wide - 3, 20), (2, 2))
            cv2.line(
                image, (round(x + a[0]), round(y + a[1])), (round(x + b[0]), round(y + b[1])), colour, 2, cv2.LINE_AA
            )
        x, w = x + wide + 3, w - wide - 3


def roof(rng: np.random.Generator) -> np.ndarray:
    """Rows of roof tiles with a shadow under each row."""
    rows = int(rng.integers(12, 22))
    joint, per_tile = tiles(rng, rows, int(rows * 1.3), 0.5, 2)
    base = (
        hue(rng, (5, 28), (0.3, 0.6), (0.35, 0.6))
        if rng.random() < 0.7
        else hue(rng, (200, 250), (0.02, 0.12), (0.3, 0.45))
    )
    drop = (np.arange(SIZE, dtype=np.float32) * rows / SIZE % 1)[:, None]
    image = flat(base) * ((0.7 + 0.35 * per_tile + 0.06 * fbm(rng, 4, 5)) * (0.75 + 0.35 * drop))[..., None]
    return mixed(image, shaded(base, 0.4), 0.7 * joint)
