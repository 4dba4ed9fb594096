"""Synthetic generations with their scores from scikit-learn 1.2.

python3 generations.py ../../fixtures/data/generations.jsonl ../diagnostics/generations.json
"""
import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

rng = np.random.default_rng(48)
rows = []
for i in range(160):
    lines = 1 + i % 3
    skill = rng.normal()
    tokens, logprobs = [], []
    for k in range(lines):
        for word in ["x", " =", f" {i}"][: 2 + (i + k) % 2]:
            tokens.append(word)
            logprobs.append(round(float(-np.exp(rng.normal() - 1 - skill)), 4))
        tokens.append("\n")
        logprobs.append(round(float(-0.01 * rng.random()), 4))
    rows.append(
        {
            "id": f"g{i}",
            "group": f"repo{i % 16}",
            "language": ["python", "c"][i % 2],
            "correct": bool(rng.random() < 1 / (1 + np.exp(-2 * skill))),
            "verbalised": int(min(100, max(0, round(80 + 15 * skill + 10 * rng.normal())))),
            "tokens": tokens,
            "token_logprobs": logprobs,
            "line_correct": [int(rng.random() < 0.6) for _ in range(lines)],
        }
    )
with open(sys.argv[1], "w") as f:
    for row in rows:
        f.write(json.dumps(row) + "\n")

a = np.array([row["correct"] for row in rows], int)
p = [np.exp(row["token_logprobs"]) for row in rows]
measures = {
    "mean_prob": [v.mean() for v in p],
    "geometric_mean": [np.exp(np.log(v).mean()) for v in p],
    "total_prob": [np.exp(np.log(v).sum()) for v in p],
    "min_prob": [v.min() for v in p],
    "verbalised": [row["verbalised"] / 100 for row in rows],
}


def ece(c, bins=10):
    k = np.clip(np.ceil(c * bins).astype(int) - 1, 0, bins - 1)
    return float(sum(abs(c[k == b].sum() - a[k == b].sum()) for b in range(bins)) / len(a))


def logit(c):
    c = np.clip(c, 1e-6, 1 - 1e-6)
    return np.log(c / (1 - c))


out = {}
for name, values in measures.items():
    c = np.array(values)
    brier = brier_score_loss(a, c)
    out[name] = {
        "first": float(c[0]),
        "brier": float(brier),
        "skill": float(1 - brier / (a.mean() * (1 - a.mean()))),
        "ece": ece(c),
        "auroc": float(roc_auc_score(a, c)),
    }
    for form, x in (("logit", logit(c)), ("probability", c)):
        fit = LogisticRegression(penalty=None, solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(x[:, None], a)
        q = fit.predict_proba(x[:, None])[:, 1]
        out[name][form] = {"slope": float(fit.coef_[0][0]), "offset": float(fit.intercept_[0]), "brier": float(brier_score_loss(a, q))}
json.dump(out, open(sys.argv[2], "w"), indent=1)
