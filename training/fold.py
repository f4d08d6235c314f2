"""Writes what ablate.py saved as safetensors: batch norms folded, layouts and names this package's own (NODE.filter, NODE.bias).

    python3 fold.py --work build     # build/ablation-NETWORK.safetensors of every network that ended
"""
import argparse
import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ablate import CLASSES, STAGES
from networks import TABLES, network

# The names of networks.py's modules are the nodes' own, but for the gate's two convolutions.
RENAMED = {'.gate.reduce': '.reduce', '.gate.excite': '.excite', '.conv': ''}


def node(name):
    for old, new in RENAMED.items():
        if name.endswith(old):
            return name[:-len(old)] + new
    return name


def folded(model):
    """Yields (node, filter [height, width, inputs / groups, outputs], bias) of every convolution and of the classifier."""
    modules = dict(model.named_modules())
    for name, module in modules.items():
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        weight = module.weight.detach().double()
        weight = weight.reshape(*weight.shape, *[1] * (4 - weight.dim()))
        bias = torch.zeros(len(weight)).double() if module.bias is None else module.bias.detach().double()
        norm = modules.get(name[:-len('conv')] + 'norm') if name.endswith('.conv') else None
        if norm is not None:
            gain = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
            weight = weight * gain.view(-1, 1, 1, 1)
            bias = norm.bias.detach().double() - norm.running_mean.double() * gain
        yield node(name), weight.permute(2, 3, 1, 0).float().contiguous().numpy(), bias.float().numpy()


def safetensors(tensors):
    header, data = {}, b''
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, np.float32).tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(array.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + data


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work', type=Path, default=Path(__file__).with_name('build'))
    options = parser.parse_args()
    for name in TABLES:
        saved = options.work / f'ablation-{name}.pt'
        state = torch.load(saved) if saved.exists() else {'stage': 0}
        if state['stage'] < len(STAGES):
            print(f'{name}: not ended, left out')
            continue
        model = network(name, len(CLASSES))
        model.load_state_dict(state['model'])
        tensors = {}
        for at, filter, bias in folded(model.eval()):
            tensors[f'{at}.filter'], tensors[f'{at}.bias'] = filter, bias
        (options.work / f'ablation-{name}.safetensors').write_bytes(safetensors(tensors))
