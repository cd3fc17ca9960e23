# SPDX-License-Identifier: Apache-2.0
"""Photometric domain randomisation of stereo pairs: cameras that expose, blur, compress and sit differently."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from .draw import Draw

DARK_FRACTION = 0.12  # of the pairs are seen with little light


def blur(image: torch.Tensor, sigma_px: torch.Tensor) -> torch.Tensor:
    """Gaussian blur with one sigma per image; image [B, C, H, W], sigma_px [B] in 0..2."""
    b, c, h, w = image.shape
    x = torch.arange(-3, 4, device=image.device)
    kernel = torch.exp(-0.5 * (x / sigma_px.clamp(min=0.05)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(c, 0)
    flat = functional.pad(image.reshape(1, b * c, h, w), (3, 3, 3, 3), mode="replicate")
    flat = functional.conv2d(flat, kernel.view(b * c, 1, 1, 7), groups=b * c)
    return functional.conv2d(flat, kernel.view(b * c, 1, 7, 1), groups=b * c).view(b, c, h, w)


def block_quantise(image: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """JPEG-like loss: 8 x 8 DCT coefficients rounded to a step that grows with frequency.

    image [B, C, H, W] in 0..1, H and W multiples of 8; step [B].
    """
    b, c, h, w = image.shape
    k = torch.arange(8, device=image.device, dtype=torch.float32)
    dct = torch.cos((2 * k + 1) * k[:, None] * math.pi / 16) * 0.5
    dct[0] /= math.sqrt(2)
    blocks = image.view(b, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    q = step.view(b, 1, 1, 1, 1, 1) * (1 + k + k[:, None])
    coefficients = dct @ blocks @ dct.T
    coefficients = (coefficients / q).round() * q
    return (dct.T @ coefficients @ dct).transpose(3, 4).reshape(b, c, h, w)


def expose(image: torch.Tensor, strength: torch.Tensor | float, draw: Draw) -> torch.Tensor:
    """Random exposure, gamma, colour cast, contrast and vignetting per image; image [B, 3, H, W] in 0..1."""
    b, _, h, w = image.shape
    amount = lambda channels: draw.uniform(-1, 1, b, channels, 1, 1) * strength  # noqa: E731
    image = image.clamp(1e-4, 1) ** torch.exp(0.5 * amount(1))
    image = image * torch.exp(0.5 * amount(1)) * (1 + 0.15 * amount(3))
    mean = image.mean((1, 2, 3), keepdim=True)
    image = mean + (image - mean) * torch.exp(0.4 * amount(1))
    y, x = (torch.linspace(-1, 1, n, device=image.device) for n in (h, w))
    return image * (1 - 0.25 * amount(1).abs() * (x**2 + y[:, None] ** 2))


def _same_camera(left: torch.Tensor, right: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
    """What both cameras share: auto-exposure to a random brightness, exposure model, grey images; in 0..1."""
    b, _, _, w = left.shape
    target = draw.uniform(70, 150, b, 1, 1, 1)
    gain = (target / left.mean((1, 2, 3), keepdim=True).clamp(min=8)).clamp(0.5, 4)
    both = expose((torch.cat((left, right), 3) * gain).clamp(max=255) / 255, 0.5, draw)
    both = torch.where(draw.chance(0.15, b, 1, 1, 1), both.mean(1, keepdim=True), both)
    return both[..., :w], both[..., w:]


def in_the_dark(
    left: torch.Tensor, right: torch.Tensor, draw: Draw, chance: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Some pairs as cameras see them at night or in a tunnel; float [B, 3, H, W] in 0..1 -> same.

    Little light reaches the sensor: photon noise grows with the root of the signal, read-out noise does not shrink, the
    darkest signals are lost. The camera amplifies what is left, both eyes alike, seldom up to a normal brightness.
    """
    b = left.shape[0]
    dark = draw.chance(chance, b, 1, 1, 1)
    light = draw.log_uniform(0.02, 0.4, b, 1, 1, 1)
    photons, read_out = draw.log_uniform(150, 3000, b, 1, 1, 1), draw.log_uniform(0.0005, 0.006, b, 1, 1, 1)
    mean = torch.cat((left, right), 3).mean((1, 2, 3), keepdim=True)
    gain = torch.minimum(draw.log_uniform(0.06, 0.4, b, 1, 1, 1) / (mean * light).clamp(min=1e-4), 1 / light * 1.5)
    gain = gain.clamp(min=1)
    result = []
    for image in (left, right):
        signal = image.clamp(0, 1) * light
        noisy = signal + draw.normal(*image.shape) * (signal / photons).sqrt() + draw.normal(*image.shape) * read_out
        levels = 255 * draw.uniform(1, 4, b, 1, 1, 1)  # a sensor's 8 to 10 bits
        seen = (noisy.clamp(min=0) * levels).round() / levels * gain
        result.append(torch.where(dark, seen.clamp(0, 1), image))
    return result[0], result[1]


def _misalign(right: torch.Tensor, draw: Draw) -> torch.Tensor:
    """In half of the pairs shift up to 0.6 px and turn up to 0.4 px (at the border) vertically."""
    b, _, h, w = right.shape
    shift = draw.uniform(-1, 1, b, 2, 1, 1) * draw.chance(0.5, b, 1, 1, 1)
    x = torch.linspace(-1, 1, w, device=right.device).view(1, 1, w).expand(b, h, w)
    y = (
        torch.linspace(-1, 1, h, device=right.device).view(1, h, 1)
        + (0.6 * shift[:, 0] + 0.4 * shift[:, 1] * x) * 2 / h
    )
    return functional.grid_sample(right, torch.stack((x, y), -1), padding_mode="border", align_corners=True)


def _erase(right: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Replace up to two patches by the mean colour, each in 15 % of the pairs."""
    b, _, h, w = right.shape
    column, row = torch.arange(w, device=right.device), torch.arange(h, device=right.device)[:, None]
    for _ in range(2):
        size = draw.uniform(20, 100, b, 2, 1, 1)
        corner = draw.uniform(0, 1, b, 2, 1, 1)
        inside = ((column - w * corner[:, 0]).abs() < size[:, 0]) & ((row - h * corner[:, 1]).abs() < size[:, 1] / 2)
        inside = inside[:, None] & draw.chance(0.15, b, 1, 1, 1)
        right = torch.where(inside, right.mean((2, 3), keepdim=True), right)
    return right


@torch.no_grad()
def augment(left: torch.Tensor, right: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
    """Randomise a batch of pairs, float [B, 3, H, W] 0..255 -> same, whole numbers.

    A common part (the camera model) and a smaller independent part (unequal cameras); H, W multiples of 8.
    """
    b = left.shape[0]
    left, right = in_the_dark(*_same_camera(left, right, draw), draw, DARK_FRACTION)
    right = _erase(_misalign(right, draw), draw)
    strength = 0.35 * draw.chance(0.6, b, 1, 1, 1)
    soft = draw.uniform(0, 1.2, b) * draw.chance(0.5, b)
    step = draw.uniform(0, 0.012, b) * draw.chance(0.4, b) + 1e-4
    noise = draw.uniform(0, 1, b, 1, 1, 1) ** 2 * 0.04
    result = []
    for image in (left, right):
        image = expose(image, strength, draw)
        image = blur(image, soft + draw.uniform(0, 0.4, b) * draw.chance(0.3, b))
        image = image + draw.normal(*image.shape) * noise * (0.5 + image.clamp(0, 1))
        image = block_quantise(image, step)
        result.append((image.clamp(0, 1) * 255).round())
    return result[0], result[1]
