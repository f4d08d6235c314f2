"""Renders pictures into DIR/<class index>/<index>.jpg, as `mobilenet-v3 compare --images DIR` reads them.

    python3 render.py DIR --count 5000 --seed 7                             any number of further pictures
    python3 render.py ../images/validation --split validation --count 1000  the pictures that are shipped
    python3 render.py ../images/calibration --split calibration --count 100
"""
import argparse
import multiprocessing
from pathlib import Path

from tqdm import tqdm

from draw import SPLITS, classes, draw

PER_SEED = 10 ** 5  # pictures of a class before the next seed's begin


def write(job):
    folder, split, label, index = job
    path = folder / f'{label:04d}' / f'{index}.jpg'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(draw(label, index, split))


def jobs(folder, split, count, seed):
    """Class by class in turn; fewer pictures than classes are spread over them evenly."""
    total = len(classes())
    step = max(1, total // count)
    for i in range(count):
        yield folder, split, i * step % total, seed * PER_SEED + i // total


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--split', choices=SPLITS, default='extra')
    parser.add_argument('--count', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    with multiprocessing.Pool() as workers:
        work = workers.imap_unordered(write, jobs(options.folder, options.split, options.count, options.seed), 16)
        for _ in tqdm(work, total=options.count, unit='picture'):
            pass
