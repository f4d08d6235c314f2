"""Writes src/evaluation/imagenet.ts: the 1000 classes of ILSVRC 2012, in the order of every published network.

    python3 scripts/imagenet-classes.py SYNSETS    # a file whose lines begin with the 1000 synset ids

Names are those that torchvision publishes with its weights (Debian's python3-torchvision).
"""
import sys
from pathlib import Path

from torchvision.models._meta import _IMAGENET_CATEGORIES as names

ids = [line.split()[0] for line in Path(sys.argv[1]).read_text().splitlines() if line.strip()]
assert len(ids) == len(names) == 1000 and ids == sorted(ids)
quoted = lambda values: '\n'.join(f'  {v}' for v in values)
Path('src/evaluation/imagenet.ts').write_text(f'''// Made by scripts/imagenet-classes.py. The classes of ILSVRC 2012 (image-net.org/challenges/LSVRC/2012), in class order.

/** WordNet offsets: synset ids without their leading n. */
export const SYNSETS: readonly string[] = `
{quoted(' '.join(i[1:] for i in ids[r:r + 12]) for r in range(0, 1000, 12))}
`.trim().split(/\\s+/).map((offset) => `n${{offset}}`);

export const NAMES: readonly string[] = `
{quoted(names)}
`.trim().split('\\n').map((name) => name.trim());
''')
