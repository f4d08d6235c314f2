"""Trains the ablation's networks on the same pictures, in the same order, for the same number of steps. Resumable.

    python3 ablate.py --draw        # only draws the pictures
    python3 ablate.py --threads 2   # every network in turn; a stopped run goes on from its last save

200 of the 1000 classes, in two stages: first small pictures, then the 112 px at which the networks are judged.
"""
import argparse
import csv
import io
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy, interpolate
from tqdm import tqdm

from draw import classes, draw
from networks import TABLES, network

CLASSES = list(range(0, 1000, 5))
HARDNESS = 0.3  # of draw.py; 1 is the shipped pictures' own
BATCH = 32
STAGES = [dict(frame=80, crop=64, per_class=40, steps=600, rate=3e-3),
          dict(frame=128, crop=112, per_class=16, steps=150, rate=1e-3)]
HELD_OUT = 10  # pictures a class, at the last stage's size
FIRST_HELD_OUT = 10 ** 6
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def pool(work, split, frame, per_class, first):
    """Draws pictures once, into a file: [pictures, frame, frame, 3] uint8; row // per_class is the place in CLASSES."""
    path = work / f'ablation-{split}-{frame}-{first}-{per_class}.npy'
    if not path.exists():
        rows = [(label, first + i) for label in CLASSES for i in range(per_class)]
        out = np.lib.format.open_memmap(path.with_suffix('.part'), 'w+', np.uint8, (len(rows), frame, frame, 3))
        for row, (label, index) in enumerate(tqdm(rows, desc=path.stem)):
            out[row] = np.asarray(Image.open(io.BytesIO(draw(label, index, split, frame, HARDNESS))))
        out.flush()
        path.with_suffix('.part').rename(path)
    return np.load(path, mmap_mode='r')


def pools(work):
    held_out = pool(work, 'extra', STAGES[-1]['frame'], HELD_OUT, FIRST_HELD_OUT)
    return held_out, [pool(work, 'train', s['frame'], s['per_class'], 10 ** 5 * (i + 1)) for i, s in enumerate(STAGES)]


def normalised(batch):
    return torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(255).sub_(MEAN).div_(STD)


def augmented(rng, pictures, crop):
    """Random crops (one scale a batch, a place each), brightness and contrast. Never mirrored: signs and arrows matter."""
    frame = pictures.shape[1]
    side = int(frame * rng.uniform(0.78, 1.0))
    top, left = rng.integers(0, frame - side + 1, (2, len(pictures)))
    x = normalised(np.stack([p[t:t + side, l:l + side] for p, t, l in zip(pictures, top, left)]))
    if side != crop:
        x = interpolate(x, (crop, crop), mode='bilinear', align_corners=False, antialias=side > crop)
    gain = torch.from_numpy(rng.uniform(0.8, 1.2, (len(x), 1, 1, 1)).astype(np.float32))
    return (x * gain + (gain - 1)).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def accuracy(model, pictures, crop):
    model.eval()
    per_class, margin, right = len(pictures) // len(CLASSES), (pictures.shape[1] - crop) // 2, 0
    for start in range(0, len(pictures), 100):
        x = normalised(pictures[start:start + 100, margin:margin + crop, margin:margin + crop].copy())
        label = torch.arange(start, start + len(x)) // per_class
        right += (model(x.contiguous(memory_format=torch.channels_last)).argmax(1) == label).sum().item()
    model.train()
    return right / len(pictures)


def initialised(name, seed):
    torch.manual_seed(seed)
    model = network(name, len(CLASSES))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out')
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)
    return model.to(memory_format=torch.channels_last).train()


def train(name, work, seed=1):
    model = initialised(name, seed)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    save, log = work / f'ablation-{name}.pt', work / f'ablation-{name}.csv'
    state = torch.load(save) if save.exists() else {'stage': 0, 'step': 0}
    held_out, trained_on = pools(work)
    for number, stage in enumerate(STAGES):
        if number < state['stage']:
            continue
        pictures = trained_on[number]
        labels = np.arange(len(pictures)) // stage['per_class']
        per_epoch, total = len(pictures) // BATCH, stage['steps']
        optimizer = torch.optim.AdamW([{'params': decayed, 'weight_decay': 0.03}, {'params': others, 'weight_decay': 0.0}],
                                      lr=stage['rate'])
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, stage['rate'], total_steps=total + 1, pct_start=0.15,
                                                       cycle_momentum=False)
        if 'model' in state:
            model.load_state_dict(state['model'])
            if state['step']:
                optimizer.load_state_dict(state['optimizer'])
                schedule.load_state_dict(state['schedule'])
        loss_sum, since, began = 0.0, 0, time.process_time()
        for step in range(state['step'], total):
            rng = np.random.default_rng([seed, number, step])
            order = np.random.default_rng([seed, number, step // per_epoch]).permutation(len(pictures))
            rows = np.sort(order[step % per_epoch * BATCH:][:BATCH])
            loss = cross_entropy(model(augmented(rng, pictures[rows], stage['crop'])), torch.from_numpy(labels[rows]),
                                 label_smoothing=0.1)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum, since = loss_sum + loss.item(), since + 1
            if (step + 1) % 50 == 0 or step + 1 == total:
                judged = number == len(STAGES) - 1 and step + 1 == total
                score = accuracy(model, held_out, STAGES[-1]['crop']) if judged else ''
                new = not log.exists()
                with log.open('a', newline='') as file:
                    writer = csv.writer(file)
                    if new:
                        writer.writerow(['stage', 'step', 'steps', 'loss', 'held_out_top1', 'processor_seconds'])
                    writer.writerow([number, step + 1, total, round(loss_sum / since, 4), score,
                                     round(time.process_time() - began)])
                loss_sum, since, began = 0.0, 0, time.process_time()
                state = {'stage': number, 'step': step + 1, 'model': model.state_dict(),
                         'optimizer': optimizer.state_dict(), 'schedule': schedule.state_dict()}
                torch.save(state, save.with_suffix('.part'))
                save.with_suffix('.part').rename(save)
        state = {'stage': number + 1, 'step': 0, 'model': model.state_dict()}
        torch.save(state, save)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('networks', nargs='*', default=list(TABLES), help=f'of {", ".join(TABLES)}; all, if none is named')
    parser.add_argument('--work', type=Path, default=Path(__file__).with_name('build'))
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--draw', action='store_true', help='only draw the pictures')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    pools(options.work)
    for name in [] if options.draw else options.networks:
        train(name, options.work)
