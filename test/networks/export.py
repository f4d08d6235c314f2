# Loads exported safetensors into torchvision's own module and prints its logits: the other half of test/networks/export.test.ts.
import json
import struct
import sys

import numpy as np
import torch
import torchvision

architecture, width, classes, weights, image = sys.argv[1:]
data = open(weights, "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8 : 8 + size])
header.pop("__metadata__")
state = {
    name: torch.from_numpy(np.frombuffer(data, np.float32, int(np.prod(t["shape"])), 8 + size + t["data_offsets"][0]).reshape(t["shape"]).copy())
    for name, t in header.items()
}
module = getattr(torchvision.models, architecture)
model = module(weights=None, width_mult=float(width), num_classes=int(classes)) if architecture == "mobilenet_v2" else module(weights=None, num_classes=int(classes))
missing, unexpected = model.load_state_dict(state, strict=False)
assert not unexpected, unexpected
assert all(name.endswith("num_batches_tracked") for name in missing), missing
model.eval()
x = torch.from_numpy(np.fromfile(image, np.float32).reshape(1, 64, 64, 3)).permute(0, 3, 1, 2)
with torch.no_grad():
    print(json.dumps(model(x)[0].tolist()))
