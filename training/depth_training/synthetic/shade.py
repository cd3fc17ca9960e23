# SPDX-License-Identifier: Apache-2.0
"""Colour of hits: normals, texture coordinates, light, reflections, haze and sky."""

from __future__ import annotations

import torch
from torch.nn import functional

from .scene import (
    AMBIENT,
    BIAS,
    BULGE,
    CONTRAST,
    DETAIL_GAIN,
    DETAIL_ID,
    DETAIL_ZOOM,
    FAR,
    GAIN,
    HAZE,
    MIRROR_CONTRAST,
    MIRROR_GRAZING,
    MIRROR_GROUND,
    REFLECT,
    SHADOW,
    SKY_BIAS,
    SKY_CONTRAST,
    SKY_GAIN,
    SKY_ID,
    SKY_SCALE,
    SPECULAR,
    TAPER_BACK,
    TAPER_FRONT,
    TAPER_SIDE,
    TEX_DENSITY,
    TEX_ID,
    TEX_U,
    TEX_V,
    TEX_WINDOW,
    Counts,
    Scene,
)
from .textures import SIZE, TextureBank, mirror, sample_texture

LOW_FRACTION = 0.25  # height of round things that lie flat, as a fraction of their width and length


def take(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Rows of table [B, P, C] by index [B, N] -> [B, N, C]."""
    return torch.gather(table, 1, index[..., None].expand(-1, -1, table.shape[-1]))


def _outward(
    counts: Counts, form: torch.Tensor, half: torch.Tensor, unit: torch.Tensor, index: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Local normals [B, N, 3] of hits and masks [B, N]: lies on an x face, on a y face, on a round side.

    form, half, unit: [B, N, ...] of the primitive that was hit; unit in -1..1.
    """
    groups = counts.slices()
    x, y, z = unit.unbind(-1)
    is_prism = (index >= groups["prism"].start) & (index < groups["prism"].stop)
    is_flat, is_card = index < groups["prism"].stop, index >= groups["card"].start
    is_cylinder = (index >= groups["cylinder"].start) & (index < groups["cylinder"].stop)
    side = torch.where(is_prism, form[..., TAPER_SIDE], 0.0) / 2
    ends = torch.where(z > 0, form[..., TAPER_FRONT], form[..., TAPER_BACK])
    ends = torch.where(is_prism, ends, 0.0) / 2
    # The face that was hit is the one whose plane equation is closest to its limit, 1.
    ax, ay, az = x.abs() + side * (1 - y), y.abs(), z.abs() + ends * (1 - y)
    face_x = is_flat & (ax >= ay) & (ax >= az)
    face_y = (is_flat & (ay > ax) & (ay >= az)) | (is_cylinder & (ay > 0.999))
    face_z = (is_flat & ~face_x & ~face_y) | is_card
    curved = ~(face_x | face_y | face_z)
    zero = torch.zeros_like(x)
    on_x = torch.stack((x.sign(), -side, zero), -1)
    on_z = torch.stack((zero, -ends, torch.where(z < 0, -1.0, 1.0)), -1)
    on_y = torch.stack((zero, torch.where(y < 0, -1.0, 1.0), zero), -1)
    bulge = torch.stack((x, torch.where(is_cylinder, 0.0, y), z), -1)
    normal = torch.where(face_x[..., None], on_x, torch.where(face_y[..., None], on_y, on_z))
    normal = torch.where(is_flat[..., None], normal + form[..., BULGE, None] * unit, normal)
    return functional.normalize(torch.where(curved[..., None], bulge, normal) / half, dim=-1), face_x, face_y, curved


def surface(
    scene: Scene, origin: torch.Tensor, direction: torch.Tensor, t: torch.Tensor, index: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals and texture coordinates of hits.

    origin [B, 1, 3]; direction [B, N, 3]; t, index [B, N]
    -> normal [B, N, 3] (towards the viewer), u, v [B, N] texels, level [B, N] mip level, texture row [B, N, 8].
    """
    rotation = take(scene.rotation.flatten(2), index).unflatten(-1, (3, 3))
    center, half, tex = (take(table, index) for table in (scene.center, scene.half, scene.texture))
    point = origin + direction * t[..., None]
    local = (rotation * (point - center).unsqueeze(-2)).sum(-1)
    form = take(scene.form[..., :4], index)
    normal_local, face_x, face_y, curved = _outward(scene.counts, form, half, local / half, index)
    # Written as multiply-and-sum: batched 3x3 matrix products do not fuse.
    normal = (rotation * normal_local.unsqueeze(-1)).sum(-2)
    facing = (normal * direction).sum(-1, keepdim=True)
    normal = torch.where(facing > 0, -normal, normal)
    x, y, z = local.unbind(-1)
    around = torch.atan2(x / half[..., 0], z / half[..., 2]) * (half[..., 0] + half[..., 2]) / 2
    density = tex[..., TEX_DENSITY]
    # A low mound is textured from above.
    mounds = scene.counts.slices()["ellipsoid"]
    lies = (
        (index >= mounds.start)
        & (index < mounds.stop)
        & (half[..., 1] < LOW_FRACTION * torch.minimum(half[..., 0], half[..., 2]))
    )
    u = torch.where(curved & ~lies, around, torch.where(face_x, z, x)) * density + tex[..., TEX_U]
    v = torch.where(face_y | lies, z, y) * density + tex[..., TEX_V]
    slant = facing.squeeze(-1).abs() / direction.norm(dim=-1)
    footprint = t * density / scene.focal[:, None] / slant.clamp(min=0.05).sqrt() * 0.5  # texels per sample
    return normal, u, v, torch.log2(footprint.clamp(min=1e-3)), tex


def _albedo(
    bank: TextureBank, tex: torch.Tensor, colour: torch.Tensor, u: torch.Tensor, v: torch.Tensor, level: torch.Tensor
):
    """Surface colour [B, N, 3]: texture plus a second one at another scale, then contrast, gain and bias."""
    tables = bank.texels, bank.level_start, bank.stride
    window, zoom = tex[..., TEX_WINDOW], tex[..., DETAIL_ZOOM]
    start = (SIZE - window) * 0.5
    x, y = mirror(u, window) + start, mirror(v, window) + start
    rgb = sample_texture(*tables, tex[..., TEX_ID], x, y, level.round())
    x, y = mirror(u * zoom, SIZE - 12.0), mirror(v * zoom, SIZE - 12.0)
    fine = sample_texture(*tables, tex[..., DETAIL_ID], x, y, (level + zoom.log2()).round())
    rgb = rgb + (fine.mean(-1, keepdim=True) - 0.45) * tex[..., DETAIL_GAIN, None]
    return (0.5 + (rgb - 0.5) * colour[..., CONTRAST, None]) * colour[..., GAIN] + colour[..., BIAS]


def _lit(
    rgb: torch.Tensor, normal: torch.Tensor, view: torch.Tensor, scene: Scene, shadow: torch.Tensor
) -> torch.Tensor:
    """Lambert's law with a cast shadow and a Blinn-Phong highlight."""
    sun, ambient = scene.sun[:, None], scene.light[:, None, AMBIENT, None]
    lambert = (normal * sun).sum(-1, keepdim=True).clamp(min=0)
    direct = lambert * (1 - scene.light[:, None, SHADOW, None] * shadow[..., None])
    half_vector = functional.normalize(sun - view, dim=-1)
    highlight = (normal * half_vector).sum(-1, keepdim=True).clamp(min=0) ** 30
    highlight = highlight * scene.light[:, None, SPECULAR, None] * direct
    return rgb.clamp(min=0) * (ambient + (1 - ambient) * 1.4 * direct) + 0.5 * highlight


def _environment(bank: TextureBank, scene: Scene, look: torch.Tensor, is_sky: torch.Tensor) -> torch.Tensor:
    """Colour [B, N, 3] in world direction `look` [B, N, 3] (unit length); is_sky bool [B, N, 1]: seen, not mirrored."""
    sky = scene.sky[:, None]
    u = torch.atan2(look[..., 0], look[..., 2]) * sky[..., SKY_SCALE]
    v = look[..., 1] * sky[..., SKY_SCALE] * 1.5
    tex_id, level = sky[..., SKY_ID].expand_as(u), torch.ones_like(u)
    tables = bank.texels, bank.level_start, bank.stride
    rgb = sample_texture(*tables, tex_id, mirror(u, SIZE - 1.0), mirror(v + SIZE / 2, SIZE - 1.0), level)
    contrast = sky[..., SKY_CONTRAST, None] + torch.where(is_sky, 0.0, sky[..., MIRROR_CONTRAST, None])
    ground = torch.where(is_sky, 0.0, (look[..., 1:2] * 6).clamp(0, 1) * sky[..., MIRROR_GROUND, None])
    return ((0.6 + (rgb - 0.5) * contrast) * sky[..., SKY_GAIN] + sky[..., SKY_BIAS]) * (1 - ground)


def shade(
    bank: TextureBank,
    scene: Scene,
    origin: torch.Tensor,
    direction: torch.Tensor,
    t: torch.Tensor,
    index: torch.Tensor,
    shadow: torch.Tensor,
    mirrors: bool = True,
) -> torch.Tensor:
    """Colour of rays -> rgb [B, N, 3] in 0..1.

    origin [B, 1, 3]; direction [B, N, 3]; t, index [B, N] from nearest_hit; shadow [B, N] 0 lit .. 1 shaded;
    mirrors: False when no ray shows the sky or a surface that reflects.
    """
    normal, u, v, level, tex = surface(scene, origin, direction, t, index)
    colour = take(scene.colour, index)
    view = functional.normalize(direction, dim=-1)
    rgb = _lit(_albedo(bank, tex, colour, u, v, level), normal, view, scene, shadow)
    is_sky = (t >= FAR)[..., None]
    if mirrors:
        cosine = (view * normal).sum(-1, keepdim=True)
        reflected = view - 2 * cosine * normal
        environment = _environment(bank, scene, torch.where(is_sky, view, reflected), is_sky)
        fraction = colour[..., REFLECT, None]
        grazing = (1 + cosine).clamp(0, 1) ** 5 * scene.sky[:, None, MIRROR_GRAZING, None]
        fraction = fraction + torch.where(fraction > 0, (1 - fraction) * grazing, 0.0)
        fraction = torch.where(is_sky, 1.0, fraction)
        rgb = rgb * (1 - fraction) + environment * fraction
    # Haze tends to the mean sky colour, 0.6 x gain + bias.
    haze = 1 - torch.exp(-scene.light[:, None, HAZE, None] * t.clamp(max=2e3)[..., None])
    horizon = 0.6 * scene.sky[:, None, SKY_GAIN] + scene.sky[:, None, SKY_BIAS]
    return torch.where(is_sky, rgb, rgb * (1 - haze) + horizon * haze).clamp(0, 1)
