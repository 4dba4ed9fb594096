"""`python3 tests/golden/make/carlini-wagner.py`: the L2 attack of Carlini and Wagner in PyTorch (float64), one round and the whole search."""
from pathlib import Path

import numpy as np
import torch

torch.manual_seed(0)
f64 = torch.float64
W1, b1 = torch.randn(7, 6, dtype=f64), torch.randn(7, dtype=f64) * 0.3
W2, b2 = torch.randn(4, 7, dtype=f64) * 1.5, torch.randn(4, dtype=f64) * 0.3
low, high = -1.0, 3.0
u = torch.rand(8, 6, dtype=f64)
u[0, 0], u[0, 1] = 0, 1


def logits(unit):
    return torch.tanh((low + (high - low) * unit) @ W1.T + b1) @ W2.T + b2


y = logits(u).argmax(1)
goal = (y + 1) % 4


def attack(c, kappa, rate, steps, targeted):
    """Rows rest, each by itself, when their objective has not fallen by 0.01 % in a tenth of the steps."""
    label = goal if targeted else y
    w = torch.atanh((2 * u - 1) * 0.999999).requires_grad_()
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    best, least = u.clone(), torch.full((8,), 1e30, dtype=f64)
    found = torch.zeros(8, dtype=torch.bool)
    before, active = torch.full((8,), 1e30, dtype=f64), torch.ones(8, dtype=torch.bool)
    window = max(1, steps // 10)
    for t in range(1, steps + 1):
        x = (torch.tanh(w) + 1) / 2
        z = logits(x)
        own = z.gather(1, label[:, None])[:, 0]
        other = z.masked_fill(torch.nn.functional.one_hot(label, 4).bool(), -1e30).max(1).values
        margin = other - own if targeted else own - other
        distance = ((x - u) ** 2).sum(1)
        objective = distance + c * torch.clamp(margin + kappa, min=0)
        (g,) = torch.autograd.grad(objective.sum(), w)
        with torch.no_grad():
            success = (margin < 0) & (margin + kappa <= 0) & active
            better = success & (distance < least)
            best[better], least[better] = x[better], distance[better]
            found |= success
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            step = rate / (1 - 0.9**t) * m / (v.sqrt() / (1 - 0.999**t) ** 0.5 + 1e-8)
            w -= step * active[:, None]
            if t % window == 0:
                active &= objective <= (1 - 1e-4) * before
                before = objective.detach().clone()
        if not active.any():
            break
    return {"best": best, "least": least, "found": found.to(f64), "w": w.detach(), "steps": torch.tensor(t)}


def search(rounds, constant, kappa, rate, steps, targeted):
    c, lower, upper = torch.full((8,), constant, dtype=f64), torch.zeros(8, dtype=f64), torch.full((8,), torch.inf, dtype=f64)
    best, least = u.clone(), torch.full((8,), 1e30, dtype=f64)
    for _ in range(rounds):
        r = attack(c, kappa, rate, steps, targeted)
        nearer = r["least"] < least
        best[nearer], least[nearer] = r["best"][nearer], r["least"][nearer]
        found = r["found"] > 0
        upper = torch.where(found, torch.minimum(upper, c), upper)
        lower = torch.where(found, lower, torch.maximum(lower, c))
        c = torch.where(upper.isinf(), 10 * c, (lower + torch.where(upper.isinf(), lower, upper)) / 2)
    return {"best": best, "distance": least.sqrt()}


constants = torch.tensor([0.001, 0.01, 0.1, 1, 10, 0.5, 2, 5], dtype=f64)
out = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "u": u, "y": y, "goal": goal, "constants": constants, "range": torch.tensor([low, high], dtype=f64)}
for name, targeted, kappa in [("away", False, 0.0), ("toward", True, 0.5)]:
    for key, value in attack(constants, kappa, 0.05, 150, targeted).items():
        out[f"{name}/{key}"] = value
    for key, value in search(9, 0.01, kappa, 0.02, 200, targeted).items():
        out[f"search/{name}/{key}"] = value
path = Path(__file__).parent.parent / "autodiff/carlini-wagner.npz"
np.savez(path, **{k: v.numpy() for k, v in out.items()})
for k in out:
    if "least" in k or "distance" in k or "steps" in k or "found" in k:
        print(k, out[k].tolist())
