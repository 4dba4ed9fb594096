"""Reference values of ranking metrics: scikit-learn 1.2.1, and DeLong's variance and the jackknife written out over all pairs and rows.

python3 ranking.py FOLDER   writes FOLDER/ranking.json
"""

import json
import sys

import numpy as np
from sklearn import metrics


def delong(y, s):
    """Variance of the AUROC from its definition: every positive against every negative."""
    wins = (s[y == 1][:, None] > s[y == 0][None, :]) + 0.5 * (s[y == 1][:, None] == s[y == 0][None, :])
    return wins.mean(1).var(ddof=1) / wins.shape[0] + wins.mean(0).var(ddof=1) / wins.shape[1]


def jackknife(y, s):
    """Variance of average precision from numerical derivatives by the weight of each row, normalised within its class."""

    def weighted(w):
        w = np.where(y == 1, w / w[y == 1].sum() * (y == 1).sum(), w / w[y == 0].sum() * (y == 0).sum())
        return metrics.average_precision_score(y, s, sample_weight=w)

    step, total = 1e-4, 0.0
    for i in range(len(y)):
        up, down = np.ones(len(y)), np.ones(len(y))
        up[i] += step
        down[i] -= step
        total += ((weighted(up) - weighted(down)) / (2 * step)) ** 2
    return total


def binary(y, s):
    fpr, tpr, roc_at = metrics.roc_curve(y, s, drop_intermediate=False)
    precision, recall, pr_at = metrics.precision_recall_curve(y, s)
    det_fpr, det_fnr, det_at = metrics.det_curve(y, s)
    return {
        "labels": y.tolist(),
        "scores": s.tolist(),
        "auroc": metrics.roc_auc_score(y, s),
        "auprc": metrics.average_precision_score(y, s),
        "partial": metrics.roc_auc_score(y, s, max_fpr=0.1),
        "auroc_variance": delong(y, s),
        "auprc_variance": jackknife(y, s),
        "roc": [fpr[1:].tolist(), tpr[1:].tolist(), roc_at[1:].tolist()],
        "pr": [precision[:-1].tolist(), recall[:-1].tolist(), pr_at.tolist()],
        "det": [det_fpr.tolist(), det_fnr.tolist(), det_at.tolist()],
    }


rng = np.random.RandomState(3)
y = (rng.rand(160) < 0.3).astype(int)
smooth = 1 / (1 + np.exp(-(rng.randn(160) + 1.2 * y - 0.8)))
cases = {
    "distinct": binary(y, np.round(smooth, 12)),
    "ties": binary(y, np.round(smooth * 16) / 16),
    "rare": binary((np.arange(160) % 40 == 7).astype(int), np.round(smooth, 3)),
}

label = rng.choice(4, 200, p=[0.5, 0.3, 0.15, 0.05])
p = rng.dirichlet([0.8] * 4, 200)
p[np.arange(200), label] += 0.4
p = np.round(p / p.sum(1, keepdims=True) * 256) / 256
p[:, 0] += 1 - p.sum(1)
hot = np.eye(4)[label]
many = {"labels": label.tolist(), "probs": p.ravel().tolist()}
for average in ("macro", "weighted", "micro"):
    many[average] = [metrics.roc_auc_score(hot, p, average=average), metrics.average_precision_score(hot, p, average=average)]
many["classes"] = [[metrics.roc_auc_score(hot[:, k], p[:, k]), metrics.average_precision_score(hot[:, k], p[:, k])] for k in range(4)]

with open(f"{sys.argv[1]}/ranking.json", "w") as f:
    json.dump({**cases, "many": many}, f, separators=(",", ":"))
    f.write("\n")
