# Networks of torchvision with heads of one's own, as people fine-tune them: writes a state_dict of each into a folder, an input, and
# the logits. The other half of heads.test.ts.
import json
import sys

import torch
import torchvision
from torch import nn

models = torchvision.models
folder = sys.argv[1]
torch.manual_seed(3)


def headed(model, head):
    model.classifier = head
    return model


def last(model, classes):
    model.classifier[-1] = nn.Linear(model.classifier[-1].in_features, classes)
    return model


NETWORKS = {
    "last-layer": last(models.mobilenet_v3_small(), 4),
    "last-layer-large": last(models.mobilenet_v3_large(), 7),
    "last-layer-v2": last(models.mobilenet_v2(), 3),
    "one-linear": headed(models.mobilenet_v3_small(), nn.Linear(576, 6)),
    "norm": headed(models.mobilenet_v3_small(), nn.Sequential(nn.BatchNorm1d(576), nn.Dropout(0.4), nn.Linear(576, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Dropout(0.2), nn.Linear(64, 5))),
    "three-linear": headed(models.mobilenet_v2(), nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 2))),
    "hardswish": headed(models.mobilenet_v3_large(), nn.Sequential(nn.Linear(960, 200), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(200, 8))),
}

x = torch.rand(1, 3, 64, 64) * 4 - 2
x.permute(0, 2, 3, 1).contiguous().numpy().tofile(f"{folder}/image")
logits = {}
for name, model in NETWORKS.items():
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.7, 1.3)
    model.eval()
    torch.save(model.state_dict(), f"{folder}/{name}.pth")
    with torch.no_grad():
        logits[name] = model(x)[0].tolist()
print(json.dumps(logits))
