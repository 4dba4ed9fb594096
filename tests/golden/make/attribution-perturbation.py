"""Attributions that hide inputs or draw paths, by their definitions, in torch.

python3 attribution-perturbation.py MODELS AUTODIFF OUT.npz       (torch >= 1.13, onnx, numpy)

lenet_mnist, its first golden row, logit of the label, hidden inputs 0:
- rise, rise_sd: Petsiuk et al. 2018, section 3.2 and eq. 6: 8 x 8 grids of 0 and 1 (chance 1/2) made 32 x 32 by bilinear interpolation,
  cut to 28 x 28 at a drawn place; mean of f(x m) m / 0.5 over 100,000 masks, and the standard deviation of one of them
mlp_diabetes, its golden rows, the prediction, hidden inputs 0:
- shapley: by definition, sum over coalitions S without i of |S|! (n - |S| - 1)! / n! (f(S + i) - f(S)), all 2^10 of them, float64
mlp_breast_cancer, eight golden rows, logit of the label, the rows as baselines:
- gradient_shap, gradient_shap_sd: mean and standard deviation of (x + n - x') df(x' + a (x + n - x')), a uniform on [0, 1], n normal
  with 0.15 of each column's range as standard deviation; 100,000 draws, float64
"""
import sys
from math import factorial
import numpy as np
import torch
import torch.nn.functional as F
from onnx_torch import Graph

models, autodiff, out = sys.argv[1:4]
torch.manual_seed(0)
keep = {}

z = np.load(f'{autodiff}/lenet_mnist.npz')
g = Graph(f'{models}/lenet_mnist.onnx', torch.float32)
x, y = torch.tensor(z['x'][:1]).float(), int(z['y'][0])
cell, n = 4, 100_000
total, square = torch.zeros(28, 28, dtype=torch.float64), torch.zeros(28, 28, dtype=torch.float64)
for _ in range(n // 1000):
    coarse = (torch.rand(1000, 1, 8, 8) < .5).float()
    large = F.interpolate(coarse, size=(8 * cell, 8 * cell), mode='bilinear', align_corners=False)
    at = torch.randint(0, cell, (1000, 2))
    m = torch.stack([v[:, a:a + 28, b:b + 28] for v, (a, b) in zip(large, at.tolist())])
    with torch.no_grad():
        f = g.run({g.inputs[0]: x * m})[0][:, y]
    d = (f[:, None, None] * m[:, 0] / .5).double()
    total += d.sum(0)
    square += (d ** 2).sum(0)
keep['rise'] = total / n
keep['rise_sd'] = (square / n - (total / n) ** 2).sqrt()

z = np.load(f'{autodiff}/mlp_diabetes.npz')
g = Graph(f'{models}/mlp_diabetes.onnx', torch.float64)
x = torch.tensor(z['x']).double()
d = x.shape[1]
on = torch.tensor([[s >> k & 1 for k in range(d)] for s in range(2 ** d)]).double()
size = on.sum(1).long().tolist()
phi = torch.zeros_like(x)
for r, row in enumerate(x):
    with torch.no_grad():
        f = g.run({g.inputs[0]: on * row})[0].reshape(-1)
    for s in range(2 ** d):
        for i in range(d):
            if not s >> i & 1:
                phi[r, i] += factorial(size[s]) * factorial(d - size[s] - 1) / factorial(d) * (f[s | 1 << i] - f[s])
keep['shapley'] = phi

z = np.load(f'{autodiff}/mlp_breast_cancer.npz')
g = Graph(f'{models}/mlp_breast_cancer.onnx', torch.float64)
x, y = torch.tensor(z['x']).double(), torch.tensor(z['y'])
mean, sd = [], []
for row, label in zip(x, y):
    base = x[torch.randint(0, len(x), (100_000,))]
    to = row + .15 * (x.max(0).values - x.min(0).values) * torch.randn(len(base), len(row), dtype=torch.float64)
    p = (base + torch.rand(len(base), 1, dtype=torch.float64) * (to - base)).requires_grad_()
    draws = (to - base) * torch.autograd.grad(g.run({g.inputs[0]: p})[0][:, int(label)].sum(), p)[0]
    mean.append(draws.mean(0)); sd.append(draws.std(0))
keep['gradient_shap'], keep['gradient_shap_sd'] = torch.stack(mean), torch.stack(sd)
np.savez_compressed(out, **{k: v.numpy().astype(np.float32) for k, v in keep.items()})
