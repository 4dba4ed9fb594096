"""`python3 tests/golden/make/optimizers.py`: 20 steps of PyTorch's optimizers (1.13, float64) on 40 parameters, into ../training/optimizers.json.

The gradient of step t at w is a*w + c_t with fixed a and c, so that it changes its sign and size; w, a and c are kept in the file,
rounded to float32 so that both precisions start from the same numbers.
"""
import json
from pathlib import Path

import torch

torch.manual_seed(1)
n, steps = 40, 20
single = lambda t: t.float().double()
start = single(torch.randn(n))
slope = single(torch.logspace(-2, 1, n))
drift = single(torch.randn(steps, n))
cases = [
    ("sgd", {"lr": 0.05}),
    ("sgd", {"lr": 0.05, "momentum": 0.9}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.1}),
    ("sgd", {"lr": 0.05, "momentum": 0.8, "dampening": 0.3, "weightDecay": 0.1}),
    ("adam", {"lr": 0.02}),
    ("adam", {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weightDecay": 0.1}),
    ("adamw", {"lr": 0.02}),
    ("adamw", {"lr": 0.02, "weightDecay": 0.3}),
    ("adagrad", {"lr": 0.1}),
    ("adagrad", {"lr": 0.1, "lrDecay": 0.05, "weightDecay": 0.1, "initial": 0.2, "eps": 1e-6}),
    ("rmsprop", {"lr": 0.01}),
    ("rmsprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "weightDecay": 0.1}),
    ("rmsprop", {"lr": 0.01, "momentum": 0.9}),
    ("rmsprop", {"lr": 0.01, "centered": True, "alpha": 0.9}),
    ("rmsprop", {"lr": 0.01, "centered": True, "momentum": 0.7, "weightDecay": 0.1}),
]
makers = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop}
theirs = {"weightDecay": "weight_decay", "lrDecay": "lr_decay", "initial": "initial_accumulator_value"}
runs = []
for kind, options in cases:
    given = {theirs.get(k, k): v for k, v in options.items() if not k.startswith("beta")}
    if "beta1" in options:
        given["betas"] = (options["beta1"], options["beta2"])
    w = start.clone().requires_grad_()
    optimizer = makers[kind]([w], **given)
    for t in range(steps):
        w.grad = slope * w.detach() + drift[t]
        optimizer.step()
    runs.append({"id": kind, "options": options, "end": w.tolist()})
out = Path(__file__).parent.parent / "training/optimizers.json"
out.write_text(json.dumps({"start": start.tolist(), "slope": slope.tolist(), "drift": drift.tolist(), "runs": runs}, indent=None) + "\n")
