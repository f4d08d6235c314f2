"""Draws curve.svg from the logs, and contact-sheet.jpg from the shipped pictures.

    python3 plot.py
"""
import csv
from pathlib import Path

import matplotlib
from PIL import Image

matplotlib.use('svg')
import matplotlib.pyplot as plt

HERE = Path(__file__).parent


def curve():
    figure, (losses, scores) = plt.subplots(1, 2, figsize=(10, 3.6))
    for architecture in ('small', 'large'):
        rows = list(csv.DictReader((HERE / f'{architecture}.csv').open()))
        before, done, x = 0, 0, []
        for row in rows:  # steps count from 0 again in every stage
            if int(row['step']) <= done:
                before += done
            done = int(row['step'])
            x.append(before + done)
        losses.plot(x, [float(r['loss']) for r in rows], label=architecture)
        held = [(a, 100 * float(r['held_out_top1'])) for a, r in zip(x, rows) if r['held_out_top1']]
        scores.plot(*zip(*held), marker='.', label=architecture)
    losses.set(xlabel='step of 128 pictures', ylabel='training loss')
    scores.set(xlabel='step of 128 pictures', ylabel='held-out top-1, % (at the stage\'s resolution)')
    losses.legend()
    scores.legend()
    figure.tight_layout()
    figure.savefig(HERE / 'curve.svg', metadata={'Date': None})


def contact_sheet(columns=20, rows=10, side=64):
    pictures = sorted((HERE.parent / 'images' / 'validation').glob('*/*.jpg'))
    sheet = Image.new('RGB', (columns * side, rows * side))
    step = len(pictures) // (columns * rows)
    for i, path in enumerate(pictures[::step][:columns * rows]):
        sheet.paste(Image.open(path).resize((side, side), Image.LANCZOS), (i % columns * side, i // columns * side))
    sheet.save(HERE.parent / 'images' / 'contact-sheet.jpg', quality=80)


if __name__ == '__main__':
    curve()
    contact_sheet()
