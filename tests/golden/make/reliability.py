"""Reference values of calibration without bins: isotonic fits by scikit-learn 1.2.1, smooth ECE by sums of Gaussians over all points and
their mirror images, integrated by SciPy, adaptive and top-k errors written out over sorted rows.

python3 reliability.py FOLDER   writes FOLDER/reliability.json
"""

import json
import sys

import numpy as np
from scipy import integrate, optimize
from sklearn.isotonic import IsotonicRegression


def reflected(t, c, sigma):
    """Gaussian at t around c and its images under reflection at 0 and 1."""
    total = np.zeros((len(t), len(c)))
    for k in range(-3, 4):
        for image in (c + 2 * k, -c + 2 * k):
            total += np.exp(-0.5 * ((t[:, None] - image[None, :]) / sigma) ** 2)
    return total / (sigma * np.sqrt(2 * np.pi))


def smooth_ece(c, a):
    t = np.linspace(0, 1, 8001)

    def at(sigma):
        return integrate.simpson(np.abs(reflected(t, c, sigma) @ (a - c)) / len(c), x=t)

    sigma = optimize.brentq(lambda s: at(s) - s, 1e-3, 1)
    x = np.linspace(c.min(), c.max(), 11)
    kernel = reflected(x, c, sigma)
    return {
        "smooth_ece": sigma,
        "x": x.tolist(),
        "share": ((kernel @ a) / kernel.sum(1)).tolist(),
        "density": (kernel.mean(1)).tolist(),
    }


def corp(c, a):
    fit = IsotonicRegression().fit_transform(c, a)
    score, fitted, unc = np.mean((c - a) ** 2), np.mean((fit - a) ** 2), np.mean((a.mean() - a) ** 2)
    return {"fit": fit.tolist(), "mcb": score - fitted, "dsc": unc - fitted, "unc": unc}


def adaptive(p, y, bins, least):
    """Mean over classes and equal-mass bins of |mean probability − share|; probabilities are distinct."""
    errors = []
    for j in range(p.shape[1]):
        keep = p[:, j] >= least
        q, hit = p[keep, j], (y == j)[keep]
        order = np.argsort(q, kind="stable")
        cuts = [i * len(q) // bins for i in range(bins + 1)]
        gaps = [
            abs(q[order[lo:hi]].mean() - hit[order[lo:hi]].mean()) for lo, hi in zip(cuts[:-1], cuts[1:]) if hi > lo
        ]
        errors.append(np.mean(gaps))
    return float(np.mean(errors))


def top(p, y, k, bins):
    order = np.argsort(-p, axis=1, kind="stable")[:, :k]
    c = np.take_along_axis(p, order, 1).sum(1)
    hit = (order == y[:, None]).any(1)
    at = np.minimum(bins - 1, np.maximum(0, np.ceil(c * bins).astype(int) - 1))
    ece = sum(abs(c[at == b].sum() - hit[at == b].sum()) for b in range(bins)) / len(y)
    return {"accuracy": float(hit.mean()), "confidence": float(c.mean()), "ece": float(ece)}


rng = np.random.RandomState(7)
c = np.round(0.3 + 0.7 * rng.beta(4, 1.5, 300), 4)
a = (rng.rand(300) < c**1.7).astype(float)
logits = 2 * rng.randn(240, 6)
y = np.array([rng.choice(6, p=np.exp(z / 2) / np.exp(z / 2).sum()) for z in logits])
p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

card = {
    "c": [0.95, 0.9, 0.85, 0.8, 0.8, 0.7, 0.65, 0.6, 0.55, 0.45, 0.4, 0.35],
    "a": [1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0],
}
out = {
    "binary": {"c": c.tolist(), "a": a.astype(int).tolist(), **smooth_ece(c, a), **corp(c, a)},
    "card": {**card, **smooth_ece(np.array(card["c"]), np.array(card["a"], float)), **corp(np.array(card["c"]), np.array(card["a"], float))},
    "classes": {
        "logits": logits.tolist(),
        "labels": y.tolist(),
        "ace": adaptive(p, y, 15, 0),
        "tace": adaptive(p, y, 15, 1e-3),
        "top": {str(k): top(p, y, k, 15) for k in (2, 3, 5)},
    },
}
json.dump(out, open(f"{sys.argv[1]}/reliability.json", "w"))
