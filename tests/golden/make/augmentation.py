"""`python3 tests/golden/make/augmentation.py`: images sampled by PyTorch (1.13, float64, zeros outside), into ../training/augmentation.json.

A map (a, b, c, d, e, f) sends the output pixel (x, y), counted from the middle, to the place (a x + b y + c, d x + e y + f) of the image.
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(2)
n, channels, height, width = 5, 2, 5, 6
x = torch.randn(n, channels, height, width, dtype=torch.float64)
turn = lambda d: (math.cos(math.radians(d)), math.sin(math.radians(d)))
c, s = turn(25)
c2, s2 = turn(-130)
maps = torch.tensor([
    [1, 0, 0, 0, 1, 0],
    [-1, 0, 2, 0, 1, -1],
    [c, s, 0, -s, c, 0],
    [0.7 * c2, 0.7 * s2, 0.4, -0.7 * s2, 0.7 * c2, -0.3],
    [0.6, 0, 0.9, 0, 0.6, -0.8],
], dtype=torch.float64).reshape(n, 2, 3)
v, u = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
base = torch.stack([u, v, torch.ones_like(u)]).double().reshape(3, -1)
found = maps @ base
grid = torch.stack([found[:, 0] * 2 / width, found[:, 1] * 2 / height], -1).reshape(n, height, width, 2)
out = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
path = Path(__file__).parent.parent / "training/augmentation.json"
path.write_text(json.dumps({"dims": list(x.shape), "x": x.flatten().tolist(), "maps": maps.flatten().tolist(), "out": out.flatten().tolist()}) + "\n")
