"""Draws one labelled picture: an emoji in a scene. Deterministic in (split, class, index)."""
import io
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

FONT = '/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf'
STRIKE = 109  # the one bitmap size the font holds; glyphs are 136x128
# Disjoint random streams: no picture of one split can appear in another.
SPLITS = {'train': 1, 'validation': 2, 'calibration': 3, 'extra': 4}


@lru_cache(maxsize=1)
def font():
    return ImageFont.truetype(FONT, STRIKE)


@lru_cache(maxsize=4096)
def glyph(emoji):
    """The emoji as RGBA, cropped to what is drawn; None where the font has no single glyph for it."""
    if font().getlength(emoji) > 1.5 * STRIKE:
        return None
    canvas = Image.new('RGBA', (160, 160))
    ImageDraw.Draw(canvas).text((12, 12), emoji, font=font(), embedded_color=True)
    box = canvas.getbbox()
    return canvas.crop(box) if box else None


@lru_cache(maxsize=1)
def classes():
    return json.loads(Path(__file__).with_name('classes.json').read_text())


def background(rng, size):
    """A gradient, a texture of several octaves of noise, stripes or checks, in random colours."""
    a, b = rng.integers(0, 256, (2, 3)).astype(np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x + np.sin(angle) * y
    kind = rng.integers(4)
    if kind == 0:
        mix = (ramp - ramp.min()) / (np.ptp(ramp) + 1e-6)
    elif kind == 1:
        mix = sum(
            np.asarray(Image.fromarray(rng.random((n, n), dtype=np.float32)).resize((size, size), Image.BICUBIC)) / k
            for k, n in enumerate((3, 7, 17, 41), 1)) / 2
    elif kind == 2:
        mix = 0.5 + 0.5 * np.sin(ramp * rng.uniform(15, 90))
    else:
        cells = rng.uniform(3, 14)
        mix = (np.floor(x * cells) + np.floor(y * cells)) % 2
    mix = np.clip(mix, 0, 1)[..., None]
    return Image.fromarray((a * mix + b * (1 - mix)).astype(np.uint8))


def placed(rng, image, size, scale, centre, warp):
    """The glyph scaled, rotated by up to 25 degrees, in perspective, at a centre: RGBA of the canvas's size."""
    half = scale * size / 2
    aspect = image.width / image.height * rng.uniform(0.85, 1.18)
    w, h = half * min(1, aspect), half * min(1, 1 / aspect)
    angle = np.deg2rad(rng.uniform(-25, 25))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) @ rotation.T + centre
    corners += rng.uniform(-warp, warp, (4, 2)) * half
    source = np.array([[0, 0], [image.width, 0], [image.width, image.height], [0, image.height]], float)
    rows, target = [], []
    for (u, v), (x, y) in zip(source, corners):  # PIL wants the map from canvas to glyph
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        target += [u, v]
    reduced = image
    if 2 * half < 0.6 * image.height:  # shrink first: transform() samples, it does not average
        factor = max(1, int(image.height / (2 * half)))
        reduced = image.reduce(factor)
        target = [t / factor for t in target]
        rows = [r[:6] + [r[6] / factor, r[7] / factor] for r in rows]
    return reduced.transform((size, size), Image.PERSPECTIVE, np.linalg.solve(rows, target), Image.BILINEAR)


def draw(label, index, split, size=256, hardness=1.0):
    """Draws picture `index` of class `label` in `split`.

    size: side in pixels of the square picture. hardness: 0 is a clean large emoji, 1 the data set's own difficulty.
    Returns the JPEG's bytes.
    """
    rng = np.random.default_rng([SPLITS[split], label, index])
    # Each picture has its own strength, so that a set holds easy and hard ones.
    strength = hardness * rng.beta(1.6, 1.4)
    canvas = background(rng, size).convert('RGBA')
    known = classes()
    for _ in range(rng.integers(0, 1 + int(1 + 5 * strength))):  # clutter: other emoji, smaller and behind
        other = glyph(known[rng.integers(len(known))]['emoji'])
        piece = placed(rng, other, size, rng.uniform(0.1, 0.12 + 0.22 * strength), rng.uniform(0.05, 0.95, 2) * size, 0.2)
        canvas.alpha_composite(piece)
    scale = rng.uniform(0.72 - 0.40 * strength, 0.82 - 0.12 * strength)
    margin = max(0.08, scale / 2 - 0.12)
    centre = (0.5 + rng.uniform(-1, 1, 2) * min(0.06 + 0.22 * strength, 0.5 - margin)) * size
    piece = placed(rng, glyph(known[label]['emoji']), size, scale, centre, 0.05 + 0.22 * strength)
    if rng.random() < 0.5 * strength:  # see-through
        piece.putalpha(piece.getchannel('A').point(lambda v, k=rng.uniform(0.6, 1): int(v * k)))
    canvas.alpha_composite(piece)
    if rng.random() < 0.75 * strength:  # something in front hides up to a third of it
        cover = glyph(known[rng.integers(len(known))]['emoji'])
        offset = rng.normal(size=2)
        offset *= 0.42 * scale * size / (np.linalg.norm(offset) + 1e-6)
        canvas.alpha_composite(placed(rng, cover, size, scale * rng.uniform(0.25, 0.55), centre + offset, 0.1))
    picture = canvas.convert('RGB')
    for enhance, spread in ((ImageEnhance.Brightness, 0.45), (ImageEnhance.Contrast, 0.55), (ImageEnhance.Color, 0.8)):
        picture = enhance(picture).enhance(1 + spread * strength * rng.uniform(-1, 1))
    pixels = np.asarray(picture, np.float32) * (1 + 0.3 * strength * rng.uniform(-1, 1, 3).astype(np.float32))
    blur = strength * rng.exponential(0.9) * size / 256
    if blur > 0.3:
        picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(min(blur, 3)))
        pixels = np.asarray(picture, np.float32)
    if rng.random() < 0.6:
        pixels = pixels + rng.normal(0, 14 * strength, pixels.shape[:2] + (3,)).astype(np.float32)
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, 'JPEG', quality=int(rng.integers(38, 82)))
    return out.getvalue()
