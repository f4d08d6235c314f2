"""Writes test/golden/relatives.json: logits of MnasNet and ProxylessNAS, from PyTorch, of pseudo-random weights and inputs.

    apt-get install python3-torch python3-torchvision
    python3 scripts/golden-relatives.py

MnasNet-B1 is torchvision's own module. The others are training/networks.py's, written from the papers; their tensors are
renamed here as timm and ProxylessNAS's authors name them, since weights are a hash of the tensor's name (see golden.py).
"""
import json
import sys
from pathlib import Path

import torch
from torchvision.models import MNASNet

sys.path[:0] = ['scripts', 'training']
from golden import CLASSES, OUT, fill, uniform
from networks import Network, mnasnet_a1, mnasnet_small, proxyless_mobile


class Renamed(torch.nn.Module):
    """A network whose state is known by other names."""

    def __init__(self, network, names):
        super().__init__()
        self.network, self.names = network, names

    def state_dict(self):
        return {self.names(name): tensor for name, tensor in self.network.state_dict().items()}

    def load_state_dict(self, state):
        self.network.load_state_dict({name: state[self.names(name)] for name in self.network.state_dict()})

    def forward(self, x):
        return self.network(x)


def timm(stages, first):
    """From this package's names to timm's. stages: how many blocks each has; `first` blocks have no expansion."""
    places = [f'blocks.{s}.{i}' for s, count in enumerate(stages) for i in range(count)]

    def renamed(name):
        parts = name.split('.')
        if parts[0] == 'classifier':
            return name
        if parts[0] in ('stem', 'head'):
            conv, norm = ('conv_stem', 'bn1') if parts[0] == 'stem' else ('conv_head', 'bn2')
            return f'{conv}.{parts[2]}' if parts[1] == 'conv' else f'{norm}.{parts[2]}'
        block, role = int(parts[1]), parts[2]
        if role == 'gate':
            return f"{places[block]}.se.conv_{'reduce' if parts[3] == 'reduce' else 'expand'}.{parts[4]}"
        order = ['depthwise', 'project'] if block < first else ['expand', 'depthwise', 'project']
        convs = ['conv_dw', 'conv_pw'] if block < first else ['conv_pw', 'conv_dw', 'conv_pwl']
        i = order.index(role)
        return f'{places[block]}.{convs[i]}.{parts[4]}' if parts[3] == 'conv' else f'{places[block]}.bn{i + 1}.{parts[4]}'

    return renamed


def proxyless(name):
    """From this package's names to those of ProxylessNAS's authors; their blocks 3 and 4 are the identity."""
    parts = name.split('.')
    layer = {'conv': 'conv', 'norm': 'bn'}
    if parts[0] == 'classifier':
        return f'classifier.linear.{parts[1]}'
    if parts[0] in ('stem', 'head'):
        return f"{'first_conv' if parts[0] == 'stem' else 'feature_mix_layer'}.{layer[parts[1]]}.{parts[2]}"
    block = int(parts[1])
    part = {'expand': 'inverted_bottleneck', 'depthwise': 'depth_conv', 'project': 'point_linear'}[parts[2]]
    return f'blocks.{block if block < 3 else block + 2}.mobile_inverted_conv.{part}.{layer[parts[3]]}.{parts[4]}'


NETWORKS = {
    'mnasnet_a1': ('timm', lambda width, classes=CLASSES: Renamed(Network(mnasnet_a1(width), classes), timm([1, 2, 3, 4, 2, 3, 1], 1))),
    'mnasnet_b1': ('torchvision', lambda width, classes=CLASSES: MNASNet(width, classes)),
    'mnasnet_small': ('timm', lambda width, classes=CLASSES: Renamed(Network(mnasnet_small(width), classes), timm([1, 1, 2, 4, 3, 3, 1], 1))),
    'proxylessnas_mobile': ('proxyless', lambda width, classes=CLASSES: Renamed(Network(proxyless_mobile(width), classes), proxyless)),
}


def main():
    cases = []
    for architecture, (convention, make) in NETWORKS.items():
        for width in (1, 0.75):
            model = fill(make(width))
            for height, side in ((224, 224), (96, 160)):
                x = torch.from_numpy((1.5 * uniform(f'{height}x{side}', height * side * 3)).astype('float32'))
                x = x.reshape(1, height, side, 3).permute(0, 3, 1, 2).contiguous()
                with torch.no_grad():
                    logits = model(x)[0]
                cases.append({'architecture': architecture, 'convention': convention, 'width': width, 'height': height,
                              'side': side, 'logits': [float(v) for v in logits]})
    parameters = {name: sum(p.numel() for p in make(1, 1000).parameters()) for name, (_, make) in NETWORKS.items()}
    (OUT / 'relatives.json').write_text(json.dumps({'classes': CLASSES, 'parameters': parameters, 'cases': cases}, indent=1) + '\n')


if __name__ == '__main__':
    main()
