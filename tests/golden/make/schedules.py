"""`python3 tests/golden/make/schedules.py`: rates of PyTorch's schedulers (1.13), into ../training/schedules.json."""
import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler as s

cases = [
    ("cosine", {"lrMin": 0.01}, 0.1, 17, lambda o: s.CosineAnnealingLR(o, 17, eta_min=0.01)),
    ("step", {"size": 4, "gamma": 0.3}, 0.1, 17, lambda o: s.StepLR(o, 4, 0.3)),
    ("multistep", {"milestones": "3,7,7,12", "gamma": 0.5}, 0.1, 17, lambda o: s.MultiStepLR(o, [3, 7, 7, 12], 0.5)),
    ("exponential", {"gamma": 0.9}, 0.1, 17, lambda o: s.ExponentialLR(o, 0.9)),
    ("warmup", {"length": 6, "from": 0.1}, 0.1, 17, lambda o: s.LinearLR(o, 0.1, 1.0, 6)),
    ("warmup-cosine", {"length": 5, "from": 0.2, "lrMin": 0.01}, 0.1, 17, lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.2, 1.0, 5), s.CosineAnnealingLR(o, 12, eta_min=0.01)], [5])),
    ("one-cycle", {}, 0.1, 17, lambda o: s.OneCycleLR(o, 0.1, total_steps=17, cycle_momentum=False)),
    ("one-cycle", {"share": 0.4, "div": 10, "finalDiv": 100}, 0.2, 30, lambda o: s.OneCycleLR(o, 0.2, total_steps=30, pct_start=0.4, div_factor=10, final_div_factor=100, cycle_momentum=False)),
]
runs = []
for kind, options, lr, total, make in cases:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = make(optimizer)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    runs.append({"id": kind, "options": options, "lr": lr, "total": total, "rates": rates})

losses = [1.0, 0.9, 0.9, 0.8999, 0.95, 0.8, 0.81, 0.82, 0.79995, 0.83, 0.84, 0.85, 0.7, 0.71, 0.7, 0.7, 0.7, 0.7, 0.7, 0.69, 0.7]
plateau = []
for options, given in [
    ({"patience": 2, "factor": 0.5}, {"patience": 2, "factor": 0.5}),
    ({"patience": 1, "factor": 0.1, "cooldown": 2}, {"patience": 1, "factor": 0.1, "cooldown": 2}),
    ({"patience": 0, "factor": 0.5, "threshold": 0.05, "lrMin": 0.01}, {"patience": 0, "factor": 0.5, "threshold": 0.05, "min_lr": 0.01}),
    ({"patience": 1, "factor": 0.5, "threshold": 0.001, "thresholdMode": "abs"}, {"patience": 1, "factor": 0.5, "threshold": 0.001, "threshold_mode": "abs"}),
]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = s.ReduceLROnPlateau(optimizer, eps=0, **given)
    rates = []
    for loss in losses:
        schedule.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    plateau.append({"options": options, "rates": rates})
out = Path(__file__).parent.parent / "training/schedules.json"
out.write_text(json.dumps({"runs": runs, "losses": losses, "plateau": plateau}) + "\n")
