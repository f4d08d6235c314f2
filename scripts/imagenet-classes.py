"""Writes src/evaluation/imagenet.ts: the 1000 classes of ILSVRC 2012, in the order of every published network.

    python3 scripts/imagenet-classes.py SYNSETS    # a file whose lines begin with the 1000 synset ids

Names are those that torchvision publishes with its weights (Debian's python3-torchvision).
"""
import sys
import textwrap
from pathlib import Path

from torchvision.models._meta import _IMAGENET_CATEGORIES as names

ids = [line.split()[0] for line in Path(sys.argv[1]).read_text().splitlines() if line.strip()]
assert len(ids) == len(names) == 1000 and ids == sorted(ids)
assert not any(',' in name for name in names)
lines = lambda text: textwrap.fill(text, 138, initial_indent='  ', subsequent_indent='  ', break_on_hyphens=False)
Path('src/evaluation/imagenet.ts').write_text(f'''// Made by scripts/imagenet-classes.py. The classes of ILSVRC 2012 (image-net.org/challenges/LSVRC/2012), in class order.

/** WordNet offsets: synset ids without their leading n. */
export const SYNSETS: readonly string[] = `
{lines(' '.join(i[1:] for i in ids))}
`
  .trim()
  .split(/\\s+/)
  .map((offset) => `n${{offset}}`);

export const NAMES: readonly string[] = `
{lines(', '.join(names))}
`
  .trim()
  .replace(/\\s+/g, ' ')
  .split(', ');
''')
