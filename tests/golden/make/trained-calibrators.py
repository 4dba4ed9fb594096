"""Short fits of the calibrators that are trained, by PyTorch in float64, on the logits that diagnostics.py wrote.

python3 trained-calibrators.py ../diagnostics/digits.json ../diagnostics/trained-calibrators.json
"""
import json
import sys

import numpy as np
import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
digits = json.load(open(sys.argv[1]))
y = torch.tensor(digits["labels"])
z = torch.tensor(np.array(digits["logits"], np.float32).astype(np.float64).reshape(len(y), 10))
rng = np.random.default_rng(11)
out = {}

# Correctness-aware: labels are disturbed, so that many rows are wrong; features are made up.
noisy = torch.tensor(np.where(np.arange(len(y)) % 4 == 0, (y.numpy() + 1) % 10, y.numpy()))
features = torch.tensor(np.round(rng.random((len(y), 12)), 4))
start = {
    "weights": np.round(rng.normal(size=(5, 12)) / 4, 4),
    "biases": np.round(rng.normal(size=5) / 4, 4),
    "out": np.round(rng.normal(size=(1, 5)) / 2, 4),
    "offset": np.array([1.3]),
}


def objective(scaled, balanced):
    p = F.softmax(scaled, 1)
    c = p.max(1).values
    a = (scaled.argmax(1) == noisy).double()
    r = a.mean()
    w = torch.where(a > 0, 1 - r, r) if balanced else torch.ones_like(a)
    return (w * (c - a) ** 2).sum() / w.sum()


fits = {}
for name, balanced in (("none", False), ("balanced", True)):
    w1, b1, w2, b2 = (torch.tensor(start[k], requires_grad=True) for k in ("weights", "biases", "out", "offset"))
    adam = torch.optim.Adam([w1, b1, w2, b2], lr=1e-2)
    losses = []
    for _ in range(60):
        tau = (F.relu(features @ w1.T + b1) @ w2.T + b2).clamp(0.1, 10)
        loss = objective(z / tau, balanced)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    fits[name] = {
        "losses": losses,
        "weights": w1.flatten().tolist(),
        "biases": b1.tolist(),
        "out": w2.flatten().tolist(),
        "offset": b2.item(),
    }
out["correctness_aware"] = {
    "labels": noisy.tolist(),
    "features": features.flatten().tolist(),
    "start": {k: v.flatten().tolist() for k, v in start.items()},
    "fits": fits,
}


def clusters(q, k):
    centres = np.quantile(q, (np.arange(k) + 0.5) / k)
    for _ in range(25):
        of = np.searchsorted((centres[:-1] + centres[1:]) / 2, q, side="left")
        for c in range(k):
            if (of == c).any():
                centres[c] = q[of == c].mean()
    return np.searchsorted((centres[:-1] + centres[1:]) / 2, q, side="left")


def window_loss(p, labels, window, k):
    total = 0
    classes = p.shape[1]
    t = F.one_hot(labels, classes).double()
    for e in range(classes):
        keep = labels != e
        q, hits = p[keep].flatten(), t[keep].flatten()
        order = torch.argsort(q.detach(), stable=True)
        q, hits = q[order], hits[order]
        means = F.conv1d((q - hits)[None, None], torch.ones(1, 1, window + 1), padding=window // 2)[0, 0] / (window + 1)
        of = torch.tensor(clusters(q.detach().numpy(), k))
        sizes = torch.bincount(of, minlength=k)
        total = total + (means.abs() / (sizes[of] + 1e-5)).sum() / k
    return total / classes


logp = F.log_softmax(z, 1)


def ensemble(theta):
    a, w = theta.chunk(2)
    w = w.abs() / w.abs().sum()
    return (w[:, None, None] * F.softmax(a.abs()[:, None, None] * logp[None], 2)).sum(0)


def linear(theta):
    s = theta.abs()
    width = 100 / len(s)
    u = -logp
    m = torch.clamp(torch.floor(u.detach() / width), max=len(s) - 1).long()
    below = torch.cat([torch.zeros(1), torch.cumsum(s, 0)[:-1]]) * width
    return F.softmax(-(below[m] + (u - m * width) * s[m]), 1)


for name, build, first in (
    ("temperature_ensemble", ensemble, np.round(rng.uniform(-0.5, 0.5, 8), 4)),
    ("piecewise_linear", linear, np.ones(20)),
):
    theta = torch.tensor(first, requires_grad=True)
    adam = torch.optim.Adam([theta], lr=0.005)
    losses = []
    for step in range(25):
        loss = window_loss(build(theta), y, 100, 7)
        adam.zero_grad()
        (1e5 * loss).backward()
        if step == 0:
            gradient = theta.grad.tolist()
        adam.step()
        losses.append(loss.item())
    out[name] = {"start": first.tolist(), "gradient": gradient, "losses": losses, "theta": theta.tolist()}
json.dump(out, open(sys.argv[2], "w"))
