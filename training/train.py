"""Trains MobileNetV3-Small or -Large on pictures that draw.py draws. Resumes from its last save.

    python3 train.py small --work build
"""
import argparse
import csv
import io
import multiprocessing
import time
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch.nn.functional import cross_entropy, interpolate

from draw import classes, draw

# One row a stage: pictures are drawn `frame` px wide and cropped to `crop` px, as 256 is to 224 at test time. Small
# first, because a picture of 64 px costs a tenth of one of 224; the last stages adapt to the size that is used.
STAGES = {
    'small': [dict(frame=80, crop=64, per_class=100, epochs=9, rate=4e-3),
              dict(frame=128, crop=112, per_class=40, epochs=3, rate=1.5e-3),
              dict(frame=256, crop=224, per_class=16, epochs=2, rate=6e-4),
              dict(frame=256, crop=224, per_class=24, epochs=4, rate=1.2e-3)],
    'large': [dict(frame=80, crop=64, per_class=100, epochs=9, rate=3e-3),
              dict(frame=128, crop=112, per_class=40, epochs=2, rate=1.2e-3),
              dict(frame=256, crop=224, per_class=16, epochs=1, rate=5e-4),
              dict(frame=256, crop=224, per_class=24, epochs=2, rate=1e-3)],
}
BATCH = 128
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def pixels(job):
    split, label, index, frame = job
    return np.asarray(Image.open(io.BytesIO(draw(label, index, split, frame))))


def pool(work, split, frame, per_class, first=0):
    """Draws a stage's pictures once, into a file: [pictures, frame, frame, 3] uint8, class = row // per_class."""
    path = work / f'{split}-{frame}-{first}-{per_class}.npy'
    if not path.exists():
        jobs = [(split, c, first + i, frame) for c in range(len(classes())) for i in range(per_class)]
        out = np.lib.format.open_memmap(path.with_suffix('.part'), 'w+', np.uint8, (len(jobs), frame, frame, 3))
        with multiprocessing.Pool() as workers:
            for row, image in enumerate(workers.imap(pixels, jobs, chunksize=64)):
                out[row] = image
        out.flush()
        path.with_suffix('.part').rename(path)
    return np.load(path, mmap_mode='r')


def normalised(batch):
    tensor = torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(255)
    return tensor.sub_(MEAN).div_(STD)


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
    per_class, margin, right = len(pictures) // len(classes()), (pictures.shape[1] - crop) // 2, 0
    for start in range(0, len(pictures), BATCH):
        x = normalised(pictures[start:start + BATCH, margin:margin + crop, margin:margin + crop].copy())
        label = torch.arange(start, start + len(x)) // per_class
        right += (model(x.contiguous(memory_format=torch.channels_last)).argmax(1) == label).sum().item()
    model.train()
    return right / len(pictures)


def train(architecture, work, seed=1):
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = getattr(torchvision.models, f'mobilenet_v3_{architecture}')(num_classes=len(classes()))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.05  # torchvision's 0.01 is for runs a hundred times as long
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model = model.to(memory_format=torch.channels_last).train()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    save, log = work / f'{architecture}.pt', work / f'{architecture}.csv'
    state = torch.load(save) if save.exists() else {'stage': 0, 'step': 0}
    for number, stage in enumerate(STAGES[architecture]):
        if number < state['stage']:
            continue
        pictures = pool(work, 'train', stage['frame'], stage['per_class'], first=1000 * number)
        held_out = pool(work, 'extra', stage['frame'], 2, first=10 ** 6)
        labels = np.arange(len(pictures)) // stage['per_class']
        per_epoch = len(pictures) // BATCH
        total = stage['epochs'] * per_epoch
        optimizer = torch.optim.AdamW([{'params': decayed, 'weight_decay': 0.03}, {'params': others, 'weight_decay': 0.0}],
                                      lr=stage['rate'])
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, stage['rate'], total_steps=total + 1, pct_start=0.15,
                                                       cycle_momentum=False)
        if 'model' in state:
            model.load_state_dict(state['model'])
            if state['step']:
                optimizer.load_state_dict(state['optimizer'])
                schedule.load_state_dict(state['schedule'])
        loss_sum, since, began = 0.0, 0, time.time()
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
            if (step + 1) % 200 == 0 or step + 1 == total:
                ended = step + 1 == total
                score = accuracy(model, held_out, stage['crop']) if ended or (step + 1) % 1000 == 0 else ''
                new = not log.exists()
                with log.open('a', newline='') as file:
                    writer = csv.writer(file)
                    if new:
                        writer.writerow(['stage', 'step', 'steps', 'loss', 'held_out_top1', 'pictures_per_second'])
                    writer.writerow([number, step + 1, total, round(loss_sum / since, 4), score,
                                     round(since * BATCH / (time.time() - began))])
                loss_sum, since, began = 0.0, 0, time.time()
                state = {'stage': number, 'step': step + 1, 'model': model.state_dict(),
                         'optimizer': optimizer.state_dict(), 'schedule': schedule.state_dict()}
                torch.save(state, save.with_suffix('.part'))
                save.with_suffix('.part').rename(save)
        state = {'stage': number + 1, 'step': 0, 'model': model.state_dict()}
        torch.save(state, save)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('architecture', choices=STAGES)
    parser.add_argument('--work', type=Path, default=Path(__file__).with_name('build'))
    options = parser.parse_args()
    train(options.architecture, options.work)
