"""Writes what train.py saved as safetensors: torchvision's names, F16, labels and preprocessing in the metadata.

    python3 export.py small build/small.pt ../checkpoints/mobilenet_v3_small.safetensors
"""
import argparse
import json
import struct
from pathlib import Path

import torch

from draw import classes

# The centre 224 px of 256, ImageNet's mean and standard deviation: torchvision's and timm's evaluation transform.
PREPROCESSING = {'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'crop': 0.875, 'interpolation': 'bilinear'}


def safetensors(tensors, metadata):
    """Eight bytes with the length of the header, the header as JSON, the tensors' bytes (the format's specification)."""
    header, data = {'__metadata__': metadata}, b''
    for name, tensor in tensors.items():
        half = tensor.half()
        if not half.isfinite().all():
            raise ValueError(f'{name} does not fit F16')
        raw = half.contiguous().numpy().tobytes()
        header[name] = {'dtype': 'F16', 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, ensure_ascii=False, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + data


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('architecture', choices=['small', 'large'])
    parser.add_argument('saved', type=Path)
    parser.add_argument('out', type=Path)
    options = parser.parse_args()
    weights = {k: v for k, v in torch.load(options.saved)['model'].items() if not k.endswith('num_batches_tracked')}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(safetensors(weights, {
        'architecture': f'mobilenet_v3_{options.architecture}',
        'labels': json.dumps([f"{c['emoji']} {c['name']}" for c in classes()], ensure_ascii=False),
        'preprocessing': json.dumps(PREPROCESSING),
        'license': 'Apache-2.0',
    }))
