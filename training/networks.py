"""The ablation's networks as PyTorch modules, from tables of their own: written from the papers, not from src/architecture/.

A block is (kernel, expansion in channels, out, squeezed channels or 0, activation, stride). Modules carry the names of
this package's graph: blocks.3.depthwise and so on.
"""
from collections import OrderedDict

import torch
from torch import nn

ACTIVATIONS = {'relu': nn.ReLU, 'relu6': nn.ReLU6, 'hardSwish': nn.Hardswish, 'swish': nn.SiLU,
               'sigmoid': nn.Sigmoid, 'hardSigmoid': nn.Hardsigmoid}


def divisible(channels):
    """The papers' rounding: the nearest multiple of 8 that is not more than 10 % below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def convolution(inputs, outputs, kernel, stride, groups, activation, epsilon):
    layers = [('conv', nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)),
              ('norm', nn.BatchNorm2d(outputs, eps=epsilon))]
    if activation:
        layers.append(('activation', ACTIVATIONS[activation]()))
    return nn.Sequential(OrderedDict(layers))


class Gate(nn.Module):
    """Squeeze-excite: pool, reduce, ReLU, excite, gate, product."""

    def __init__(self, channels, squeezed, gate):
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, channels, 1)
        self.gate = ACTIVATIONS[gate]()

    def forward(self, x):
        return x * self.gate(self.excite(torch.relu(self.reduce(x.mean((2, 3), keepdim=True)))))


class Block(nn.Module):
    def __init__(self, inputs, kernel, expanded, out, squeezed, activation, stride, skip, gate, epsilon):
        super().__init__()
        self.expand = convolution(inputs, expanded, 1, 1, 1, activation, epsilon) if expanded != inputs else nn.Identity()
        self.depthwise = convolution(expanded, expanded, kernel, stride, expanded, activation, epsilon)
        self.gate = Gate(expanded, squeezed, gate) if squeezed else nn.Identity()
        self.project = convolution(expanded, out, 1, 1, 1, None, epsilon)
        self.skip = skip and stride == 1 and inputs == out

    def forward(self, x):
        y = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + y if self.skip else y


class Network(nn.Module):
    def __init__(self, table, classes):
        super().__init__()
        epsilon, gate = table['epsilon'], table.get('gate', 'hardSigmoid')
        channels, activation = table['stem']
        self.stem = convolution(3, channels, 3, 2, 1, activation, epsilon)
        blocks = []
        for kernel, expanded, out, squeezed, activation, stride in table['blocks']:
            blocks.append(Block(channels, kernel, expanded, out, squeezed, activation, stride, True, gate, epsilon))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        head, activation = table['head']
        self.head = convolution(channels, head, 1, 1, 1, activation, epsilon)
        if 'features' in table:
            width, activation = table['features']
            self.features = nn.Sequential(OrderedDict(conv=nn.Conv2d(head, width, 1), activation=ACTIVATIONS[activation]()))
            head = width
        else:
            self.features = nn.Identity()
        self.classifier = nn.Linear(head, classes)

    def forward(self, x):
        x = self.features(self.head(self.blocks(self.stem(x))).mean((2, 3), keepdim=True))
        return self.classifier(x.flatten(1))


def mobilenet_v3_large(low='relu', high='hardSwish', se=True, old_last_stage=False):
    """arXiv 1905.02244, Table 1. `low` is the nonlinearity of the first half, `high` of the second and of the stem."""
    blocks = []
    for kernel, expanded, out, squeeze, activation, stride in [
            (3, 16, 16, 0, low, 1), (3, 64, 24, 0, low, 2), (3, 72, 24, 0, low, 1), (5, 72, 40, 1, low, 2),
            (5, 120, 40, 1, low, 1), (5, 120, 40, 1, low, 1), (3, 240, 80, 0, high, 2), (3, 200, 80, 0, high, 1),
            (3, 184, 80, 0, high, 1), (3, 184, 80, 0, high, 1), (3, 480, 112, 1, high, 1), (3, 672, 112, 1, high, 1),
            (5, 672, 160, 1, high, 2), (5, 960, 160, 1, high, 1), (5, 960, 160, 1, high, 1)]:
        blocks.append((kernel, expanded, out, divisible(expanded / 4) if squeeze and se else 0, activation, stride))
    if old_last_stage:  # Figure 5, above: one more block, and the wide convolution before the pool
        blocks.append((3, 960, 320, 0, high, 1))
        return dict(epsilon=1e-3, stem=(16, high), blocks=blocks, head=(1280, high))
    return dict(epsilon=1e-3, stem=(16, high), blocks=blocks, head=(960, high), features=(1280, high))


def mobilenet_v3_small():
    """arXiv 1905.02244, Table 2."""
    blocks = []
    for kernel, expanded, out, squeeze, activation, stride in [
            (3, 16, 16, 1, 'relu', 2), (3, 72, 24, 0, 'relu', 2), (3, 88, 24, 0, 'relu', 1), (5, 96, 40, 1, 'hardSwish', 2),
            (5, 240, 40, 1, 'hardSwish', 1), (5, 240, 40, 1, 'hardSwish', 1), (5, 120, 48, 1, 'hardSwish', 1),
            (5, 144, 48, 1, 'hardSwish', 1), (5, 288, 96, 1, 'hardSwish', 2), (5, 576, 96, 1, 'hardSwish', 1),
            (5, 576, 96, 1, 'hardSwish', 1)]:
        blocks.append((kernel, expanded, out, divisible(expanded / 4) if squeeze else 0, activation, stride))
    return dict(epsilon=1e-3, stem=(16, 'hardSwish'), blocks=blocks, head=(576, 'hardSwish'), features=(1024, 'hardSwish'))


def factors(rows, stem, head, activation, width=1, **rest):
    """Tables of (repeats, kernel, stride, factor, out, SE as a share of the block's input): V2, MnasNet, ProxylessNAS."""
    stem = divisible(stem * width)
    blocks, channels = [], stem
    for repeats, kernel, stride, factor, out, share in rows:
        out = divisible(out * width)
        for i in range(repeats):
            squeezed = max(1, int(channels * share))
            blocks.append((kernel, channels * factor, out, squeezed if share else 0, activation, stride if i == 0 else 1))
            channels = out
    return {'epsilon': 1e-5, 'stem': (stem, activation), 'blocks': blocks, 'head': (head, activation), **rest}


def mobilenet_v2():
    """arXiv 1801.04381, Table 2."""
    return factors([(1, 3, 1, 1, 16, 0), (2, 3, 2, 6, 24, 0), (3, 3, 2, 6, 32, 0), (4, 3, 2, 6, 64, 0), (3, 3, 1, 6, 96, 0),
                    (3, 3, 2, 6, 160, 0), (1, 3, 1, 6, 320, 0)], 32, 1280, 'relu6')


def mnasnet_a1(width=1):
    """arXiv 1807.11626, Figure 7a."""
    return factors([(1, 3, 1, 1, 16, 0), (2, 3, 2, 6, 24, 0), (3, 5, 2, 3, 40, 0.25), (4, 3, 2, 6, 80, 0), (2, 3, 1, 6, 112, 0.25),
                    (3, 5, 2, 6, 160, 0.25), (1, 3, 1, 6, 320, 0)], 32, 1280, 'relu', width, gate='sigmoid')


def mnasnet_small(width=1):
    """The small network that MnasNet's authors published, as timm has it."""
    return factors([(1, 3, 1, 1, 8, 0), (1, 3, 2, 3, 16, 0), (2, 3, 2, 6, 16, 0), (4, 5, 2, 6, 32, 0.25), (3, 3, 1, 6, 32, 0.25),
                    (3, 5, 2, 6, 88, 0.25), (1, 3, 1, 6, 144, 0)], 8, 1280, 'relu', width, gate='sigmoid')


def proxyless_mobile(width=1):
    """arXiv 1812.00332, Figure 4: the Mobile network."""
    return factors([(1, 3, 1, 1, 16, 0), (1, 5, 2, 3, 32, 0), (1, 3, 1, 3, 32, 0), (1, 7, 2, 3, 40, 0), (1, 3, 1, 3, 40, 0),
                    (2, 5, 1, 3, 40, 0), (1, 7, 2, 6, 80, 0), (3, 5, 1, 3, 80, 0), (1, 5, 1, 6, 96, 0), (3, 5, 1, 3, 96, 0),
                    (2, 7, 2, 6, 192, 0), (2, 7, 1, 3, 192, 0), (1, 7, 1, 6, 320, 0)], 32, 1280, 'relu6', width, epsilon=1e-3)


# The most telling first: a run that is cut short has those.
TABLES = {
    'large': mobilenet_v3_large(),
    'large-relu': mobilenet_v3_large(high='relu'),
    'large-swish': mobilenet_v3_large(high='swish'),
    'large-no-se': mobilenet_v3_large(se=False),
    'v2': mobilenet_v2(),
    'small': mobilenet_v3_small(),
    'mnasnet-a1': mnasnet_a1(),
    'large-old-last-stage': mobilenet_v3_large(old_last_stage=True),
}


def network(name, classes):
    return Network(TABLES[name], classes)
