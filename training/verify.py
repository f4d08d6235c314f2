"""Writes ../test/golden/checkpoints.json: what PyTorch makes of the shipped networks on the shipped pictures.

    python3 verify.py
"""
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.models import mobilenet_v3_large, mobilenet_v3_small

PICTURES = Path('../images/validation')
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
SHOWN = 4  # pictures whose logits are kept
BATCH = 50


def weights(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], 'little')
    header = json.loads(data[8:8 + length])
    metadata = header.pop('__metadata__')
    types = {'F16': np.float16, 'F32': np.float32}
    state = {}
    for name, entry in header.items():
        begin, end = entry['data_offsets']
        values = np.frombuffer(data[8 + length + begin:8 + length + end], dtype=types[entry['dtype']])
        state[name] = torch.from_numpy(values.astype(np.float32).reshape(entry['shape']))
    return state, metadata


def picture(path):
    pixels = torch.from_numpy(np.asarray(Image.open(path).convert('RGB')).astype(np.float32))
    side, margin = 224, 16  # the centre of 256: nothing is to be resized
    pixels = pixels[margin:margin + side, margin:margin + side]
    return ((pixels / 255 - MEAN) / STD).permute(2, 0, 1)


def main():
    files = sorted(PICTURES.glob('*/*'))
    labels = torch.tensor([int(f.parent.name) for f in files])
    result = {'files': [str(f.relative_to(PICTURES)) for f in files[:SHOWN]]}
    for name, make in (('mobilenet_v3_small', mobilenet_v3_small), ('mobilenet_v3_large', mobilenet_v3_large)):
        state, metadata = weights(Path(f'../checkpoints/{name}.safetensors'))
        model = make().eval()
        missing = model.load_state_dict(state, strict=False).missing_keys
        assert all(key.endswith('num_batches_tracked') for key in missing), missing
        logits = []
        with torch.no_grad():
            for i in range(0, len(files), BATCH):
                logits.append(model(torch.stack([picture(f) for f in files[i:i + BATCH]])))
        logits = torch.cat(logits)
        result[name] = {
            'images': len(files),
            'top1': float((logits.argmax(1) == labels).float().mean()),
            'logits': [[round(float(v), 5) for v in row] for row in logits[:SHOWN]],
        }
        print(name, result[name]['top1'])
    Path('../test/golden/checkpoints.json').write_text(json.dumps(result))


main()
