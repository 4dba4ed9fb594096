"""`python3 tests/golden/make/losses.py`: losses of PyTorch (1.13, float64), their gradients and reference inputs, into ../training/losses.json."""
import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(0)
f64 = torch.float64
z = torch.randn(6, 4, dtype=f64) * 3
z[0] = 0
classes = torch.tensor([0, 3, 1, 2, 2, 0])
values = torch.randn(6, 4, dtype=f64) * 3
values[1, 1] = z[1, 1]
marks = (torch.rand(6, 4) < 0.4).to(f64)
teacher = torch.randn(6, 4, dtype=f64) * 3
weights = torch.tensor([1.0, 2.0, 3.0, 0.5], dtype=f64)


def focal(logits, gamma, weight=None):
    own = F.log_softmax(logits, 1).gather(1, classes[:, None])[:, 0]
    each = -((1 - own.exp()) ** gamma) * own
    if weight is None:
        return each.mean()
    return (weight[classes] * each).sum() / weight[classes].sum()


def distilled(logits, t):
    return t * t * F.kl_div(F.log_softmax(logits / t, 1), F.log_softmax(teacher / t, 1), reduction="batchmean", log_target=True)


given = "1,2,3,0.5"
cases = [
    ("cross-entropy", {}, "classes", lambda v: F.cross_entropy(v, classes)),
    ("cross-entropy", {"labelSmoothing": 0.1}, "classes", lambda v: F.cross_entropy(v, classes, label_smoothing=0.1)),
    ("cross-entropy", {"classWeights": given}, "classes", lambda v: F.cross_entropy(v, classes, weight=weights)),
    ("focal", {}, "classes", lambda v: focal(v, 2)),
    ("focal", {"gamma": 0.5}, "classes", lambda v: focal(v, 0.5)),
    ("focal", {"gamma": 1.5, "classWeights": given}, "classes", lambda v: focal(v, 1.5, weights)),
    ("mse", {}, "values", lambda v: F.mse_loss(v, values)),
    ("mae", {}, "values", lambda v: F.l1_loss(v, values)),
    ("huber", {}, "values", lambda v: F.huber_loss(v, values)),
    ("huber", {"delta": 2.5}, "values", lambda v: F.huber_loss(v, values, delta=2.5)),
    ("binary-cross-entropy", {}, "marks", lambda v: F.binary_cross_entropy_with_logits(v, marks)),
    ("binary-cross-entropy", {"positiveWeight": 3}, "marks", lambda v: F.binary_cross_entropy_with_logits(v, marks, pos_weight=torch.tensor(3.0, dtype=f64))),
    ("kl-distillation", {"temperature": 1}, "teacher", lambda v: distilled(v, 1)),
    ("kl-distillation", {"temperature": 4}, "teacher", lambda v: distilled(v, 4)),
]
runs = []
for kind, options, target, of in cases:
    v = z.clone().requires_grad_()
    loss = of(v)
    loss.backward()
    runs.append({"id": kind, "options": options, "target": target, "loss": loss.item(), "gradient": v.grad.flatten().tolist()})
data = {name: tensor.flatten().tolist() for name, tensor in [("z", z), ("classes", classes), ("values", values), ("marks", marks), ("teacher", teacher)]}
out = Path(__file__).parent.parent / "training/losses.json"
out.write_text(json.dumps({"data": data, "runs": runs}, indent=1) + "\n")
