"""Reference values of power-law fits and Student's distribution from SciPy 1.10.

python3 power-law.py FOLDER   writes FOLDER/power-law.json
"""

import json
import sys

import numpy as np
from scipy import optimize, stats

rng = np.random.RandomState(38)
m = np.array([100, 200, 400, 800, 1600, 3200, 6400, 12800], float)
lines, floors = [], []
for k in range(3):
    e = 2.5 * m**-0.35 * np.exp(0.02 * rng.randn(len(m)))
    fit = stats.linregress(np.log(m), np.log(e))
    n, x = len(m), np.log(m)
    residual = np.log(e) - fit.intercept - fit.slope * x
    s = np.sqrt((residual**2).sum() / (n - 2))
    half = stats.t.ppf(0.975, n - 2) * s * np.sqrt(1 + 1 / n + (np.log(50000) - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum())
    middle = fit.intercept + fit.slope * np.log(50000)
    leverage = 1 / n + (x - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    deleted = residual / np.sqrt(((residual**2).sum() - residual**2 / (1 - leverage)) / (n - 3) * (1 - leverage))
    lines.append(
        {
            "error": e.tolist(),
            "alpha": np.exp(fit.intercept),
            "beta": fit.slope,
            "betaError": fit.stderr,
            "alphaError": np.exp(fit.intercept) * fit.intercept_stderr,
            "r2": fit.rvalue**2,
            "at50000": np.exp([middle, middle - half, middle + half]).tolist(),
            "deleted": deleted.tolist(),
        }
    )
    e = (3 * m**-0.45 + 0.06) * np.exp(0.005 * rng.randn(len(m)))
    law = lambda lm, a, b, g: np.log(np.exp(a - np.exp(b) * lm) + np.exp(g))
    best = min(
        (optimize.curve_fit(law, np.log(m), np.log(e), p0=[1, np.log(0.4), np.log(f * e.min())], maxfev=20000, ftol=1e-14, xtol=1e-14) for f in (0.1, 0.5, 0.9)),
        key=lambda found: ((law(np.log(m), *found[0]) - np.log(e)) ** 2).sum(),
    )
    a, b, g = best[0]
    se = np.sqrt(np.diag(best[1]))
    floors.append({"error": e.tolist(), "alpha": np.exp(a), "beta": -np.exp(b), "gamma": np.exp(g), "errors": [np.exp(a) * se[0], np.exp(b) * se[1], np.exp(g) * se[2]]})
# Its own inverse is good to about 1e-9 only.
student = [[df, p, optimize.brentq(lambda t: stats.t.cdf(t, df) - p, 0, 1000, xtol=1e-14, rtol=1e-14)] for df in (1, 2, 3, 4, 7, 30, 400) for p in (0.6, 0.9, 0.975, 0.9995)]
with open(f"{sys.argv[1]}/power-law.json", "w") as f:
    json.dump({"size": m.tolist(), "lines": lines, "floors": floors, "student": student}, f, separators=(",", ":"))
    f.write("\n")
