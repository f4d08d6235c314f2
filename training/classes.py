"""Chooses the 1000 emoji that are the classes, and writes classes.json.

Candidates come from Unicode's emoji-test.txt (Debian's unicode-data) in its own order. Skin tones, hair styles,
gendered twins and keycaps are dropped by name; of what is left, the emoji that differ most to the eye are kept:
farthest-point sampling over small blurred renderings, so that near-twins (clock faces, Chad's and Romania's flags) go.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from draw import glyph

EMOJI_TEST = Path('/usr/share/unicode/emoji/emoji-test.txt')
DROPPED = ('skin tone', 'keycap', 'man ', 'woman ', 'men ', 'women ', 'boy', 'girl', ': man', ': woman', 'family',
           'couple', 'kiss:', ' hair', 'o’clock', '-thirty')


def candidates():
    """Yields (emoji, name) for every fully-qualified emoji whose name holds none of DROPPED."""
    for line in EMOJI_TEST.read_text().splitlines():
        if '; fully-qualified' not in line:
            continue
        emoji, _version, name = line.split('# ')[1].split(' ', 2)
        if not any(part in name + ' ' for part in DROPPED):
            yield emoji, name


def appearance(emoji):
    """What the eye compares: the glyph on light and on dark grey, blurred and reduced to 16x16; None if it has no glyph."""
    image = glyph(emoji)
    if image is None:
        return None
    views = []
    for grey in (64, 192):
        canvas = Image.new('RGBA', image.size, (grey, grey, grey, 255))
        canvas.alpha_composite(image)
        views.append(np.asarray(canvas.convert('RGB').filter(ImageFilter.GaussianBlur(2)).resize((16, 16)), np.float32))
    return np.concatenate(views).ravel()


def choose(count):
    named = [(e, n, a) for e, n in candidates() if (a := appearance(e)) is not None]
    looks = np.stack([a for _, _, a in named])
    kept, distance = [0], np.linalg.norm(looks - looks[0], axis=1)
    while len(kept) < count:
        farthest = int(distance.argmax())
        kept.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(looks - looks[farthest], axis=1))
    print(f'{len(named)} candidates, nearest kept pair {distance.max():.0f} apart', file=sys.stderr)
    return [{'emoji': named[i][0], 'name': named[i][1]} for i in sorted(kept)]


if __name__ == '__main__':
    rows = ',\n'.join(json.dumps(c, ensure_ascii=False) for c in choose(1000))
    Path(__file__).with_name('classes.json').write_text(f'[\n{rows}\n]\n')
