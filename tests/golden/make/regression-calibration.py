"""Reference values of forecasts of a number: SciPy for the normal distribution and its CRPS by numerical integration, scikit-learn 1.2.1 for
the pinball loss.

python3 regression-calibration.py FOLDER   writes FOLDER/regression-calibration.json
"""

import json
import sys

import numpy as np
from scipy import integrate, stats
from sklearn.metrics import mean_pinball_loss

rng = np.random.RandomState(4)
n = 150
mean = np.round(rng.randn(n), 3)
sd = np.round(0.3 + rng.rand(n), 3)
y = np.round(mean + 0.1 + 1.4 * sd * rng.randn(n), 3)


def crps(m, s, t):
    left = integrate.quad(lambda x: stats.norm.cdf(x, m, s) ** 2, m - 12 * s, t, limit=200)[0]
    right = integrate.quad(lambda x: (1 - stats.norm.cdf(x, m, s)) ** 2, t, m + 12 * s, limit=200)[0]
    return left + right


grid = np.arange(1, 20) / 20
q = stats.norm.ppf(grid[None, :], mean[:, None], sd[:, None])
observed = (y[:, None] <= q).mean(0)
levels = [0.05, 0.25, 0.5, 0.75, 0.95]
quantiles = np.round(stats.norm.ppf(levels, mean[:, None], sd[:, None]), 4)
out = {
    "mean": mean.tolist(),
    "sd": sd.tolist(),
    "y": y.tolist(),
    "normal": {
        "observed": observed.tolist(),
        "error": float(np.abs(observed - grid).mean()),
        "kuleshov": float(((observed - grid) ** 2).sum()),
        "coverage_90": float(((y >= q[:, 0]) & (y <= q[:, 18])).mean()),
        "ks": float(stats.kstest(stats.norm.cdf(y, mean, sd), "uniform").statistic),
        "pinball": float(np.mean([mean_pinball_loss(y, q[:, k], alpha=grid[k]) for k in range(19)])),
        "crps": float(np.mean([crps(*row) for row in zip(mean, sd, y)])),
        "nll": float(-stats.norm.logpdf(y, mean, sd).mean()),
        "square": float((((y - mean) / sd) ** 2).mean()),
        "pit": np.histogram(stats.norm.cdf(y, mean, sd), bins=20, range=(0, 1))[0].tolist(),
    },
    "levels": levels,
    "quantiles": quantiles.tolist(),
    "quantile": {
        "observed": (y[:, None] <= quantiles).mean(0).tolist(),
        "pinball": [float(mean_pinball_loss(y, quantiles[:, k], alpha=levels[k])) for k in range(5)],
        "coverage_50": float(((y >= quantiles[:, 1]) & (y <= quantiles[:, 3])).mean()),
    },
}
json.dump(out, open(f"{sys.argv[1]}/regression-calibration.json", "w"))
