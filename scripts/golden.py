"""Writes test/golden/torchvision.json: what torchvision's own modules make of pseudo-random weights and inputs.

    apt-get install python3-torch python3-torchvision
    python3 scripts/golden.py

Weights are a hash of the tensor's name and the element's index (test/pseudo-random.ts has the twin), so that none need
to be stored. Also writes test/golden/small.pth, as torch.save does, for the reader of PyTorch's own files.
"""
import json
import math
from pathlib import Path

import numpy as np
import torch
from torchvision.models import MobileNetV2, MobileNetV3
from torchvision.models.mobilenetv3 import _mobilenet_v3_conf

CLASSES = 20
OUT = Path('test/golden')


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def uniform(name, count):
    """Uniform in [-1, 1): murmur3's finalizer over the index, seeded by the name."""
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(fnv1a(name))
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h.astype(np.float64) / 2 ** 31 - 1


def fill(model):
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith('num_batches_tracked'):
            continue
        u = uniform(name, tensor.numel())
        if tensor.dim() > 1:
            u = u * math.sqrt(6 / (tensor.numel() / tensor.shape[0]))
        elif name.endswith('running_var'):
            u = 1 + 0.3 * u
        elif name.endswith('weight'):
            u = 1 + 0.2 * u
        else:
            u = 0.2 * u
        state[name] = torch.from_numpy(u.astype(np.float32).reshape(tensor.shape))
    model.load_state_dict(state)
    return model.eval()


def network(architecture, width, classes=CLASSES):
    if architecture == 'mobilenet_v2':
        return fill(MobileNetV2(num_classes=classes, width_mult=width))
    setting, last = _mobilenet_v3_conf(architecture, width_mult=width)
    return fill(MobileNetV3(setting, last, num_classes=classes))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cases = []
    for architecture in ('mobilenet_v3_small', 'mobilenet_v3_large', 'mobilenet_v2'):
        for width in (1, 0.75, 0.5):
            model = network(architecture, width)
            for height, side in ((224, 224), (160, 192), (96, 96)):
                x = torch.from_numpy((1.5 * uniform(f'{height}x{side}', height * side * 3)).astype(np.float32))
                x = x.reshape(1, height, side, 3).permute(0, 3, 1, 2).contiguous()
                with torch.no_grad():
                    logits = model(x)[0]
                cases.append({
                    'architecture': architecture, 'width': width, 'height': height, 'side': side,
                    'logits': [float(v) for v in logits],
                })
    (OUT / 'torchvision.json').write_text(json.dumps({'classes': CLASSES, 'cases': cases}))
    small = network('mobilenet_v3_small', 0.5).eval()
    torch.save(small.state_dict(), OUT / 'small.pth')
    # As exporters write it: batch norms folded and h-swish one operator, and neither.
    image = torch.zeros(1, 3, 224, 224)
    torch.onnx.export(small, image, OUT / 'small-folded.onnx', opset_version=17)
    keep = {'training': torch.onnx.TrainingMode.PRESERVE, 'do_constant_folding': False}
    torch.onnx.export(small, image, OUT / 'small-batchnorm.onnx', opset_version=13, **keep)


if __name__ == '__main__':
    main()
