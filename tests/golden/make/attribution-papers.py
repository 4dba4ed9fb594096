"""Attributions that the card only names, by their papers' formulas in torch float64.

python3 attribution-papers.py MODELS AUTODIFF OUT.npz       (torch >= 1.13, onnx, numpy)

lenet_mnist, its first two golden rows, logit of the label:
- gradcampp: Chattopadhay et al. 2018, eq. 19 with S in place of exp S, at the last ReLU before a pool: not upsampled
- lrp_epsilon, lrp_gamma: Montavon et al. 2019, section 10.2: s = R / (z + eps sign z), R_i = a_i (dz/da . s), layer by layer from
  R = f; eps = 0.25 mean|z| of the layer and row; gamma = 0.25: weights and biases w + gamma max(0, w); pools pass R to their winners
- conductance, layer_ig: at the flattened maps, baseline 0: sum_i df/dh(a_i) (h(a_i+1) - h(a_i)), a_i = i/50 (Captum's definition);
  (h - h') mean over 50 midpoints of df/dh(h' + a (h - h'))
mlp_breast_cancer, eight golden rows, logit of the label:
- expected: mean over the eight rows as baselines of Integrated Gradients (2000 midpoints); expected_sd: standard deviation of one draw
  (x - x') df(x' + a (x - x')) over baselines and a
ssim_a, ssim_b [12, 10], ssim: mean over 7 x 7 windows of Wang et al. 2004, eq. 13, sample variances, L = range of both.
"""
import sys
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from onnx_torch import Graph

models, autodiff, out = sys.argv[1:4]
keep = {}

w = {i.name: torch.tensor(numpy_helper.to_array(i).astype('f8')) for i in onnx.load(f'{models}/lenet_mnist.onnx').graph.initializer}
z = np.load(f'{autodiff}/lenet_mnist.npz')
x, y = torch.tensor(z['x'][:2]).double(), torch.tensor(z['y'][:2])
pads = {n.output[0]: list(next((a.ints for a in n.attribute if a.name == 'pads'), [])) for n in onnx.load(f'{models}/lenet_mnist.onnx').graph.node}
conv = lambda name, bias, pad: lambda a, k=lambda v: v: F.conv2d(a, k(w[name]), k(w[bias]), padding=pad)
full = lambda name, bias: lambda a, k=lambda v: v: F.linear(a, k(w[name]), k(w[bias]))
p1, p2 = (max(pads[f'/conv{i}/Conv_output_0'] or [0]) for i in (1, 2))
pool = lambda a: F.max_pool2d(a, 2)
c1, c2 = conv('onnx::Conv_32', 'onnx::Conv_33', p1), conv('onnx::Conv_35', 'onnx::Conv_36', p2)
f1, f2 = full('fc1.weight', 'fc1.bias'), full('fc2.weight', 'fc2.bias')
stages = [(c1, True), (F.relu, False), (pool, False), (c2, True), (F.relu, False), (pool, False), (lambda a: a.flatten(1), False), (f1, True), (F.relu, False), (f2, True)]
acts = [x]
for f, _ in stages:
    acts.append(f(acts[-1]))
own = Graph(f'{models}/lenet_mnist.onnx', torch.float64)
assert torch.allclose(own.run({own.inputs[0]: x})[0], acts[-1])
pick = lambda o, n=None: o.gather(1, (y if n is None else y.repeat_interleave(n))[:, None])[:, 0]

def lrp(gamma):
    r = acts[-1] * F.one_hot(y, 10)
    for (f, weighted), a in reversed(list(zip(stages, acts[:-1]))):
        a = a.detach().requires_grad_()
        if not weighted:
            if f is F.relu:
                continue
            r = torch.autograd.grad((f(a) * r.detach()).sum(), a)[0]
            continue
        raised = f(a, lambda v: v + gamma * v.clamp(min=0))
        eps = 0.25 * raised.detach().abs().flatten(1).mean(1).reshape(-1, *[1] * (raised.dim() - 1))
        below = raised + eps * torch.where(raised < 0, -1.0, 1.0)
        r = a * torch.autograd.grad((raised * (r / below).detach()).sum(), a)[0]
        r = r.detach()
    return r

keep['lrp_epsilon'], keep['lrp_gamma'] = lrp(0.0), lrp(0.25)

a = acts[5].detach().requires_grad_()
g = torch.autograd.grad(pick(f2(F.relu(f1(pool(a).flatten(1))))).sum(), a)[0]
below = 2 * g ** 2 + a.sum((2, 3), keepdim=True) * g ** 3
alpha = torch.where(below == 0, torch.zeros_like(g), g ** 2 / torch.where(below == 0, torch.ones_like(g), below))
keep['gradcampp'] = ((alpha * g.clamp(min=0)).sum((2, 3), keepdim=True) * a).sum(1).relu()

head = lambda h: f2(F.relu(f1(h)))
flat = lambda v: pool(F.relu(c2(pool(F.relu(c1(v)))))).flatten(1)
def slope(h):
    h = h.detach().requires_grad_()
    return torch.autograd.grad(pick(head(h)).sum(), h)[0]
hs = [flat(x * (i / 50)) for i in range(51)]
keep['conductance'] = sum(slope(hs[i]) * (hs[i + 1] - hs[i]) for i in range(50))
keep['layer_ig'] = (hs[50] - hs[0]) * sum(slope(hs[0] + (i + .5) / 50 * (hs[50] - hs[0])) / 50 for i in range(50))

z = np.load(f'{autodiff}/mlp_breast_cancer.npz')
x, y = torch.tensor(z['x']).double(), torch.tensor(z['y'])
g = Graph(f'{models}/mlp_breast_cancer.onnx', torch.float64)
n = 2000
mid = ((torch.arange(n) + .5) / n).double()[:, None]
mean, sd = [], []
for row, label in zip(x, y):
    draws = []
    for base in x:
        p = (base + mid * (row - base)).requires_grad_()
        f = g.run({g.inputs[0]: p})[0][:, int(label)].sum()
        draws.append((row - base) * torch.autograd.grad(f, p)[0])
    draws = torch.cat(draws)
    mean.append(draws.mean(0)); sd.append(draws.std(0))
keep['expected'], keep['expected_sd'] = torch.stack(mean), torch.stack(sd)

r = np.random.RandomState(0)
a = r.rand(12, 10); b = .6 * a + .4 * r.rand(12, 10)
L = max(a.max(), b.max()) - min(a.min(), b.min())
C1, C2 = (.01 * L) ** 2, (.03 * L) ** 2
scores = []
for i in range(6):
    for j in range(4):
        p, q = a[i:i + 7, j:j + 7].ravel(), b[i:i + 7, j:j + 7].ravel()
        v = np.cov(p, q)
        scores.append((2 * p.mean() * q.mean() + C1) * (2 * v[0, 1] + C2) / ((p.mean() ** 2 + q.mean() ** 2 + C1) * (v[0, 0] + v[1, 1] + C2)))
arrays = {k: v.detach().numpy().astype(np.float32) for k, v in keep.items()}
np.savez_compressed(out, **arrays, ssim_a=a, ssim_b=b, ssim=np.array([np.mean(scores)]))
