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
torch.manual_seed(1)
embeddings = torch.randn(6, 4, dtype=f64)
weights = torch.tensor([1.0, 2.0, 3.0, 0.5], dtype=f64)


def focal(logits, gamma, weight=None):
    own = F.log_softmax(logits, 1).gather(1, classes[:, None])[:, 0]
    each = -((1 - own.exp()) ** gamma) * own
    if weight is None:
        return each.mean()
    return (weight[classes] * each).sum() / weight[classes].sum()


def distilled(logits, t):
    return t * t * F.kl_div(F.log_softmax(logits / t, 1), F.log_softmax(teacher / t, 1), reduction="batchmean", log_target=True)


same = (classes[:, None] == classes[None]) & ~torch.eye(6, dtype=torch.bool)
other = classes[:, None] != classes[None]


def cosines(e):
    unit = F.normalize(e, dim=1)
    return unit @ unit.T


def contrastive(e, margin):
    d = torch.cdist(F.normalize(e, dim=1), F.normalize(e, dim=1), compute_mode="donot_use_mm_for_euclid_dist")
    near = d[same]
    far = F.relu(margin - d[other])
    return near[near > 0].mean() + (far[far > 0].mean() if (far > 0).any() else 0)


def triplet(e, margin):
    d = (2 - 2 * cosines(e)).clamp_min(1e-12).sqrt()
    anchors = [a for a in range(6) if same[a].any() and other[a].any()]
    return torch.stack([F.relu(margin + d[a][same[a]].max() - d[a][other[a]].min()) for a in anchors]).mean()


def multi_similarity(e, a, b, base):
    s = cosines(e) - base
    zero = torch.zeros(1, dtype=f64)
    own = [torch.logsumexp(torch.cat([zero, -a * s[i][same[i]]]), 0) / a + torch.logsumexp(torch.cat([zero, b * s[i][other[i]]]), 0) / b for i in range(6)]
    return torch.stack(own).mean()


def binomial_deviance(e, a, b, c):
    s = a * (cosines(e) - b)
    return F.softplus(-s[same], threshold=1e9).mean() + F.softplus(c * s[other], threshold=1e9).mean()


def n_pair(e, scale):
    s = scale * scale * cosines(e)
    pairs = [F.cross_entropy(torch.cat([s[i, j][None], s[i][other[i]]])[None], torch.tensor([0])) for i, j in same.nonzero().tolist()]
    return torch.stack(pairs).mean()


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
    ("contrastive", {"margin": 1.2}, "classes", lambda v: contrastive(v, 1.2)),
    ("triplet", {"margin": 0.9}, "classes", lambda v: triplet(v, 0.9)),
    ("multi-similarity", {}, "classes", lambda v: multi_similarity(v, 2, 50, 0.5)),
    ("multi-similarity", {"alpha": 18, "beta": 75, "base": 0.77}, "classes", lambda v: multi_similarity(v, 18, 75, 0.77)),
    ("binomial-deviance", {}, "classes", lambda v: binomial_deviance(v, 2, 0.5, 25)),
    ("binomial-deviance", {"alpha": 5, "base": 0.1, "cost": 3}, "classes", lambda v: binomial_deviance(v, 5, 0.1, 3)),
    ("n-pair", {"scale": 3}, "classes", lambda v: n_pair(v, 3)),
    ("n-pair", {}, "classes", lambda v: n_pair(v, 10)),
]
runs = []
pairwise = {"contrastive", "triplet", "multi-similarity", "binomial-deviance", "n-pair"}
for kind, options, target, of in cases:
    rows = "embeddings" if kind in pairwise else "z"
    v = (embeddings if kind in pairwise else z).clone().requires_grad_()
    loss = of(v)
    loss.backward()
    runs.append({"id": kind, "options": options, "rows": rows, "target": target, "loss": loss.item(), "gradient": v.grad.flatten().tolist()})
data = {name: tensor.flatten().tolist() for name, tensor in [("z", z), ("embeddings", embeddings), ("classes", classes), ("values", values), ("marks", marks), ("teacher", teacher)]}
out = Path(__file__).parent.parent / "training/losses.json"
out.write_text(json.dumps({"data": data, "runs": runs}, indent=1) + "\n")
