"""Two sets of predictions on the same rows, and what NumPy, SciPy and scikit-learn say of their differences.

python3 comparison.py FOLDER   writes FOLDER/comparison.json
"""

import json
import sys

import numpy as np
from scipy import stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

rng = np.random.default_rng(20)
N, K, DRAWS = 600, 5, 20000
labels = rng.choice(K, N, p=[0.35, 0.25, 0.2, 0.15, 0.05])
common = rng.normal(size=(N, K))
first = 2.2 * np.eye(K)[labels] + common + 0.6 * rng.normal(size=(N, K))
other = 2.0 * (1.7 * np.eye(K)[labels] + common + 0.6 * rng.normal(size=(N, K)))
# Logits are multiples of 1/256, so that both sides start from the same numbers.
logits = [np.round(z * 256) / 256 for z in (first, other)]


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


probs = [softmax(z) for z in logits]
said = [p.argmax(1) for p in probs]


def ece(conf, right, bins=15):
    at = np.ceil(conf * bins).astype(int) - 1
    return sum(abs(conf[at == k].sum() - right[at == k].sum()) for k in range(bins)) / len(conf)


def macro(y, p):
    m = confusion_matrix(y, p, labels=range(K))
    both = m.sum(0) + m.sum(1)
    return (2 * np.diag(m)[both > 0] / both[both > 0]).mean()


rows = [
    {
        "nll": -np.log(p[np.arange(N), labels]),
        "brier": ((p - np.eye(K)[labels]) ** 2).sum(1),
        "conf": p.max(1),
        "right": (s == labels).astype(float),
        "said": s,
    }
    for p, s in zip(probs, said)
]


def measures(r, y):
    return {
        "accuracy": r["right"].mean(),
        "nll": r["nll"].mean(),
        "brier": r["brier"].mean(),
        "ece": ece(r["conf"], r["right"]),
        "macro_f1": macro(y, r["said"]),
    }


whole = [measures(r, labels) for r in rows]
assert np.isclose(whole[0]["macro_f1"], f1_score(labels, said[0], average="macro"))
assert np.isclose(whole[0]["nll"], log_loss(labels, probs[0]))
assert np.isclose(whole[1]["accuracy"], accuracy_score(labels, said[1]))

names = list(whole[0])
draws = {k: np.empty(DRAWS) for k in names}
per_class = {k: np.empty((DRAWS, K)) for k in ("f1", "precision")}
for d in range(DRAWS):
    i = rng.integers(N, size=N)
    a, b = ({k: v[i] for k, v in r.items()} for r in rows)
    x, y = measures(a, labels[i]), measures(b, labels[i])
    for k in names:
        draws[k][d] = x[k] - y[k]
    ms = [confusion_matrix(labels[i], s[i], labels=range(K)) for s in said]
    per_class["f1"][d] = np.subtract(*(2 * np.diag(m) / (m.sum(0) + m.sum(1)) for m in ms))
    per_class["precision"][d] = np.subtract(*(np.diag(m) / m.sum(0) for m in ms))

difference = {}
for k in names:
    value = whole[0][k] - whole[1][k]
    moved = value - draws[k].mean()
    difference[k] = {
        "value": value,
        "se": draws[k].std(),
        "low": np.quantile(draws[k], 0.025) + moved,
        "high": np.quantile(draws[k], 0.975) + moved,
        "p": (np.sum(abs(draws[k] - draws[k].mean()) >= abs(value)) + 1) / (DRAWS + 1),
    }


def mcnemar(b, c):
    n, least = b + c, min(b, c)
    chi2 = max(0, abs(b - c) - 1) ** 2 / n
    return {
        "b": b,
        "c": c,
        "exact": stats.binomtest(b, n, 0.5).pvalue,
        "mid_p": 1.0 if b == c else 2 * stats.binom.cdf(least, n, 0.5) - stats.binom.pmf(least, n, 0.5),
        "chi2": chi2,
        "chi2_p": stats.chi2.sf(chi2, 1),
    }


def bonett_price(b, c, n):
    p, q = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = stats.norm.ppf(0.975) * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return [p - q - half, p - q + half]


def averages(y, p):
    found = {
        f"{a}_{name}": f(y, p, average=a, zero_division=0)
        for a in ("macro", "weighted")
        for name, f in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score))
    }
    return {
        **found,
        "balanced_accuracy": balanced_accuracy_score(y, p),
        "cohen_kappa": cohen_kappa_score(y, p),
        "mcc": matthews_corrcoef(y, p),
    }


resampled = []
for d in range(2000):
    i = rng.integers(N, size=N)
    resampled.append(averages(labels[i], said[0][i]))
average_errors = {k: float(np.std([r[k] for r in resampled])) for k in resampled[0]}

costs = np.round(10 * rng.random((K, K)) * (1 - np.eye(K)), 1)
paid = costs[labels, said[0]]
least = (probs[0] @ costs).argmin(1)

# Average linkage of 40 items at random places.
places = rng.normal(size=(40, 3))
apart = np.round(np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) * 1024) / 1024
tree = hierarchy.linkage(squareform(apart), "average")

right = [r["right"].astype(bool) for r in rows]
b, c = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
# Micro averages: all scores of all classes in one ranking.
flat = np.eye(K)[labels]
micro = {"auroc": np.empty(1000), "auprc": np.empty(1000)}
for d in range(1000):
    i = rng.integers(N, size=N)
    micro["auroc"][d] = roc_auc_score(flat[i].ravel(), probs[0][i].ravel())
    micro["auprc"][d] = average_precision_score(flat[i].ravel(), probs[0][i].ravel())

# Two classes: is it class 0?
binary = (labels == 0).astype(int)
lone = [np.round((z[:, 0] - np.delete(z, 0, 1).max(1)) * 256) / 256 for z in logits]
ranks = {k: np.empty(4000) for k in ("auroc", "auprc")}
area = {"auroc": roc_auc_score, "auprc": average_precision_score}
for d in range(4000):
    i = rng.integers(N, size=N)
    for k, f in area.items():
        ranks[k][d] = f(binary[i], lone[0][i]) - f(binary[i], lone[1][i])
out = {
    "micro": {
        "auroc": roc_auc_score(flat.ravel(), probs[0].ravel()),
        "auprc": average_precision_score(flat.ravel(), probs[0].ravel()),
        "errors": {k: float(v.std()) for k, v in micro.items()},
    },
    "binary": {
        "first": lone[0].tolist(),
        "other": lone[1].tolist(),
        **{k: {"of": [f(binary, s) for s in lone], "se": float(ranks[k].std())} for k, f in area.items()},
    },
    "labels": labels.tolist(),
    "first": logits[0].ravel().tolist(),
    "other": logits[1].ravel().tolist(),
    "measures": whole,
    "difference": difference,
    "mcnemar": mcnemar(b, c),
    "accuracy_interval": bonett_price(b, c, N),
    "disagreement": float((said[0] != said[1]).mean()),
    "classes": [
        {
            "recall": [recall_score(labels, s, labels=[k], average="macro") for s in said],
            "precision": [precision_score(labels, s, labels=[k], average="macro") for s in said],
            "f1": [f1_score(labels, s, labels=[k], average="macro") for s in said],
            "f1_se": per_class["f1"][:, k].std(),
            "precision_se": per_class["precision"][:, k].std(),
            "recall_interval": bonett_price(
                int((right[0] & ~right[1] & (labels == k)).sum()),
                int((right[1] & ~right[0] & (labels == k)).sum()),
                int((labels == k).sum()),
            ),
        }
        for k in range(K)
    ],
    "averages": averages(labels, said[0]),
    "average_errors": average_errors,
    "costs": {
        "table": costs.ravel().tolist(),
        "mean": paid.mean(),
        "se": paid.std(ddof=1) / np.sqrt(N),
        "constant": min(costs[labels].mean(0)),
        "answer": int(costs[labels].mean(0).argmin()),
        "decided": costs[labels, least].mean(),
        "changed": int((least != said[0]).sum()),
    },
    "linkage": {
        "distances": apart.ravel().tolist(),
        "heights": tree[:, 2].tolist(),
        "cophenetic": hierarchy.cophenet(tree).tolist(),
    },
    "mcnemar_cases": [mcnemar(b, c) for b, c in ((0, 1), (4, 2), (10, 10), (3, 21), (30, 14), (400, 460), (700, 800))],
}
with open(f"{sys.argv[1]}/comparison.json", "w") as file:
    json.dump(out, file)
