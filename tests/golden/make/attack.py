"""Adversarial inputs of fixture models by torch autograd in float64, stored as float32.

python3 attack.py MODELS INPUTS OUT        (torch >= 1.13, onnx, numpy)

MODELS holds NAME.onnx, INPUTS/NAME.npz the arrays x and y. OUT (an .npz) gets, for each model:
  NAME/fgsm   x + 0.1 sign(g), clipped to [0, 1]; NAME/gradient is g = d loss / d x, loss the summed cross-entropy
  NAME/linf   10 steps of 0.02, projected on the ball of radius 0.1 and on [0, 1], no random start
  NAME/sure   1 where |g| exceeded 1e-4 of the largest |g| in every one of those steps
  NAME/l2     8 steps of 0.25 g/|g|, projected on the ball of radius 1, not clipped
  NAME/steady 1 for rows whose |g| exceeded 1e-3 of the largest row's in every one of those
sign(0) = 0.
"""
import sys
import numpy as np
import torch
import torch.nn.functional as F
from onnx_torch import Graph

models, inputs, out = sys.argv[1:]
result = {}
for name in ['softmax_digits', 'mlp_digits', 'lstm_digits', 'gru_digits', 'vit_digits']:
    g = Graph(f'{models}/{name}.onnx', torch.float64)
    source = np.load(f'{inputs}/{name}.npz')
    x, y = torch.tensor(source['x']).double(), torch.tensor(source['y'])
    tail = {n.output[0]: n.op_type for n in g.m.graph.node}
    logs = tail[g.m.graph.output[0].name] == 'Softmax'

    def gradient(at):
        leaf = at.detach().clone().requires_grad_()
        made = g.run({g.inputs[0]: leaf})[0]
        loss = F.nll_loss(made.log(), y, reduction='sum') if logs else F.cross_entropy(made, y, reduction='sum')
        return torch.autograd.grad(loss, leaf)[0]

    first = gradient(x)
    result[f'{name}/gradient'] = first
    result[f'{name}/fgsm'] = (x + 0.1 * first.sign()).clamp(0, 1)
    at, sure = x.clone(), torch.ones_like(x, dtype=torch.bool)
    for _ in range(10):
        d = gradient(at)
        sure &= d.abs() > 1e-4 * d.abs().max()
        at = (at + 0.02 * d.sign()).clamp(x - 0.1, x + 0.1).clamp(0, 1)
    result[f'{name}/linf'], result[f'{name}/sure'] = at, sure
    at, steady = x.clone(), torch.ones(len(x), dtype=torch.bool)
    for _ in range(8):
        d = gradient(at)
        steady &= d.flatten(1).norm(dim=1) > 1e-3 * first.flatten(1).norm(dim=1).max()
        at = at + 0.25 * d / (d.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-12)
        away = at - x
        at = x + away * (1 / away.flatten(1).norm(dim=1).clamp(min=1e-12)).clamp(max=1).view(-1, 1, 1, 1)
    result[f'{name}/l2'], result[f'{name}/steady'] = at, steady
np.savez_compressed(out, **{k: v.numpy().astype(np.uint8 if v.dtype == torch.bool else np.float32) for k, v in result.items()})
