"""Reference values of the regression report from SciPy 1.10 and scikit-learn 1.2.1.

python3 regression.py FOLDER   writes FOLDER/regression.json
"""

import json
import sys

import numpy as np
from scipy import optimize, stats
from sklearn import metrics


def logistic(x, b1, b2, b3, b4):
    return b2 + (b1 - b2) / (1 + np.exp(-np.clip((x - b3) / abs(b4), -500, 500)))


def scores(x, m):
    beta, _ = optimize.curve_fit(logistic, x, m, p0=[m.max(), m.min(), x.mean(), 0.5 * x.std()], maxfev=10000, ftol=1e-12, xtol=1e-12)
    q = logistic(x, *beta)
    return {
        "x": x.tolist(),
        "m": m.tolist(),
        "srcc": stats.spearmanr(x, m)[0],
        "plcc": stats.pearsonr(x, m)[0],
        "krcc": stats.kendalltau(x, m)[0],
        "mae": metrics.mean_absolute_error(m, x),
        "rmse": metrics.mean_squared_error(m, x, squared=False),
        "r2": metrics.r2_score(m, x),
        "plcc_fit": stats.pearsonr(q, m)[0],
        "rmse_fit": metrics.mean_squared_error(m, q, squared=False),
    }


rng = np.random.RandomState(11)
x = np.round(rng.randn(150) * 1.5, 6)
m = np.round(1 / (1 + np.exp(-1.4 * x)) * 4 + 1 + 0.3 * rng.randn(150), 6)
cases = {"distinct": scores(x, m), "ties": scores(np.round(x * 2) / 2, np.round(m * 4) / 4)}
with open(f"{sys.argv[1]}/regression.json", "w") as f:
    json.dump(cases, f, separators=(",", ":"))
    f.write("\n")
