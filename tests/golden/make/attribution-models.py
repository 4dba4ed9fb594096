"""Attributions of the fixture models by torch autograd in float64, stored as float32.

python3 attribution-models.py MODELS AUTODIFF OUT [INPUTS]       (torch >= 1.13, onnx, numpy)

MODELS holds NAME.onnx, AUTODIFF/NAME.npz (or INPUTS/NAME.npz) the rows x and y. OUT/NAME.npz: grad = d logit[n, y_n]/dx, ig_midpoint and
ig_trapezoid = Integrated Gradients of it from zero (tokens: the zero embedding) in 50 steps (midpoint a = (k+.5)/50; trapezoid
a = k/50, k = 0..50, the ends at half weight), target and baseline = the logit at x and at zero, gradcam = relu(sum_k mean_hw(d
logit/dA_k) A_k) at the last activation of rank 4 with more than one place. Rows are cut to keep files small.
"""
import os, sys
import numpy as np
import torch
from onnx_torch import Graph

models, autodiff, out = sys.argv[1:4]
inputs = sys.argv[4] if len(sys.argv) > 4 else autodiff
acts = {'Relu', 'Clip', 'LeakyRelu', 'HardSwish', 'Gelu', 'Sigmoid', 'Tanh'}
kept = {'mobilenet_v2_035': 1, 'resnet8_cifar10': 3, 'vit_mnist': 4, 'lenet_mnist': 4}

for name in sorted(f[:-5] for f in os.listdir(models) if f.endswith('.onnx') and f.count('.') == 1):
    path = next((p for p in (f'{autodiff}/{name}.npz', f'{inputs}/{name}.npz') if os.path.exists(p)), None)
    if path is None:
        continue
    own = path.startswith(autodiff)
    z = np.load(path)
    n = kept.get(name, 8)
    x, y = z['x'][:n], z['y'][:n]
    g = Graph(f'{models}/{name}.onnx', torch.float64)
    xt, yt = torch.tensor(x), torch.tensor(y)
    token = not xt.dtype.is_floating_point
    regression = yt.dtype.is_floating_point
    pick = lambda o: o.reshape(-1) if regression else o.gather(1, yt[:, None])[:, 0]
    if token:
        embedded = next(v.output[0] for v in g.m.graph.node if v.op_type == 'Gather' and v.input[1] == g.inputs[0])
        taps = {embedded: None}
        g.run({g.inputs[0]: xt}, None, taps)
        full = taps[embedded].detach()
        run = lambda v: g.run({g.inputs[0]: xt}, None, None, {embedded: v})[0]
    else:
        full = xt.double()
        run = lambda v: g.run({g.inputs[0]: v})[0]

    def gradient(a):
        v = (full * a).detach().requires_grad_()
        f = pick(run(v))
        return torch.autograd.grad(f.sum(), v)[0], f.detach()

    grad, target = gradient(1.0)
    keep = {'grad': grad, 'target': target, 'baseline': gradient(0.0)[1]}
    keep['ig_midpoint'] = full * sum(gradient((k + .5) / 50)[0] / 50 for k in range(50))
    keep['ig_trapezoid'] = full * sum(gradient(k / 50)[0] * ((.5 if k in (0, 50) else 1) / 50) for k in range(51))
    if not token:
        taps = {v.output[0]: None for v in g.m.graph.node if v.op_type in acts}
        v = full.detach().requires_grad_()
        f = pick(g.run({g.inputs[0]: v}, None, taps)[0])
        maps = [t for t in taps.values() if t is not None and t.dim() == 4 and t.shape[2] > 1 and t.shape[2:] != full.shape[2:]]
        if maps:
            a = maps[-1]
            ga = torch.autograd.grad(f.sum(), a)[0]
            keep['gradcam'] = (ga.mean((2, 3), keepdim=True) * a).sum(1).relu()
    arrays = {k: v.detach().numpy().astype(np.float32) for k, v in keep.items()}
    if not own:
        arrays['x'], arrays['y'] = x, y
    np.savez_compressed(f'{out}/{name}.npz', **arrays)
    print(name, len(y), os.path.getsize(f'{out}/{name}.npz'))
