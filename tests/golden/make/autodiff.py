"""Gradients and Hessian-vector products of the fixture models by torch autograd in float64, stored as float32.

python3 autodiff.py MODELS OUT [INPUTS]        (torch >= 1.13, onnx, numpy)

MODELS holds NAME[.raw|.train].onnx; OUT/NAME.npz is written. Inputs x, labels y and the list of parameters are taken from
INPUTS/NAME.npz (arrays x, y, f64/grad/<parameter>), or from the OUT/NAME.npz of an earlier run. Models whose data are not
free, or too large to keep, get uniform noise (RandomState(7)). The direction of the Hessian-vector product is
v[i] = cos(i + p) for element i of parameter number p, so it need not be stored.
"""
import os, sys
import numpy as np
import torch
import torch.nn.functional as F
from onnx_torch import Graph

models, out = sys.argv[1], sys.argv[2]
inputs = sys.argv[3] if len(sys.argv) > 3 else out
noise = {'resnet8_cifar10': (3, 32, 32), 'mobilenet_v2_035': (3, 64, 64)}
# Stored whole up to this many parameters; above, the first 64 elements of each gradient.
whole = 200_000


def names_of(graph, prefix, source):
    listed = [k[len(prefix) + 9:] for k in source if k.startswith(prefix + 'f64/grad/')]
    listed = listed or [k[len(prefix) + 5:] for k in source if k.startswith(prefix + 'grad/')]
    statistics = {i for n in graph.m.graph.node if n.op_type == 'BatchNormalization' for i in n.input[3:]}
    return listed or [k for k, v in graph.init.items() if v.dtype.is_floating_point and v.dim() > 0 and k not in statistics]


def direction(shape, p):
    size = int(np.prod(shape))
    return torch.tensor(np.cos(np.arange(size, dtype=np.float64) + p)).reshape(tuple(shape))


for name in sorted({f.split('.')[0] for f in os.listdir(models) if f.endswith('.onnx')}):
    source = dict(np.load(f'{inputs}/{name}.npz')) if os.path.exists(f'{inputs}/{name}.npz') else {}
    if name in noise:
        n = 4 if name == 'mobilenet_v2_035' else 8
        x, y = np.random.RandomState(7).rand(n, *noise[name]).astype(np.float32), np.arange(n) % 10
    else:
        x, y = source['x'], source['y']
    keep = {'x': x, 'y': y}
    for variant in ['', 'raw', 'train']:
        path = f'{models}/{name}{"." + variant if variant else ""}.onnx'
        if not os.path.exists(path):
            continue
        g = Graph(path, torch.float64)
        prefix = f'{variant}/' if variant else ''
        names = names_of(g, prefix, source)
        leaves = {k: g.init[k].clone().requires_grad_() for k in names}
        xt, yt = torch.tensor(x), torch.tensor(y)
        token = not xt.dtype.is_floating_point
        regression = yt.dtype.is_floating_point
        taps, replace = None, None
        if token:
            embedded = next(n.output[0] for n in g.m.graph.node if n.op_type == 'Gather' and n.input[1] == g.inputs[0])
            taps = {embedded: None}
            g.run({g.inputs[0]: xt}, leaves, taps)
            feed = xt
        else:
            feed = xt.double().requires_grad_()
        logits = g.run({g.inputs[0]: feed}, leaves, taps)[0]
        loss = ((logits - yt.double()) ** 2).mean() if regression else F.cross_entropy(logits, yt)
        gs = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
        at = taps[embedded] if token else feed
        keep[prefix + 'logits'] = logits.detach().numpy()
        keep[prefix + 'loss'] = loss.detach().numpy()
        keep[prefix + 'grad_input'] = torch.autograd.grad(loss, at, retain_graph=True)[0].numpy()
        if token:
            keep['embedding_name'] = np.array(embedded)
        small = sum(v.numel() for v in leaves.values()) <= whole
        cut = (lambda v: v.detach().numpy()) if small else (lambda v: v.detach().numpy().reshape(-1)[:64])
        for k, v in zip(names, gs):
            keep[f'{prefix}grad/{k}'] = cut(v)
        if small and variant in ('', 'raw'):
            dot = sum((v * direction(v.shape, p)).sum() for p, v in enumerate(gs))
            for k, v in zip(names, torch.autograd.grad(dot, list(leaves.values()), allow_unused=True)):
                keep[f'{prefix}hvp/{k}'] = np.zeros(leaves[k].shape) if v is None else v.detach().numpy()
    keep = {k: v.astype(np.float32) if v.dtype == np.float64 and k not in ('y',) else v for k, v in keep.items()}
    np.savez_compressed(f'{out}/{name}.npz', **keep)
    print(name, len(keep), os.path.getsize(f'{out}/{name}.npz'))
