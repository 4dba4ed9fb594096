"""Reference values of the discovery metrics from scikit-learn 1.2.1 and NumPy.

python3 discovery.py FOLDER   writes FOLDER/discovery.json
"""

import json
import sys

import numpy as np
from sklearn import metrics


def decisions(y, p, threshold, above):
    actual, acted = (y >= threshold, p >= threshold) if above else (y <= threshold, p <= threshold)
    tn, fp, fn, tp = metrics.confusion_matrix(actual, acted).ravel()
    precision = metrics.precision_score(actual, acted)
    return {
        "tp": int(tp),
        "fn": int(fn),
        "fp": int(fp),
        "tn": int(tn),
        "precision": precision,
        "recall": metrics.recall_score(actual, acted),
        "f1": metrics.f1_score(actual, acted),
        "accuracy": metrics.accuracy_score(actual, acted),
        "daf": precision / actual.mean(),
        "fpr": fp / (fp + tn),
        "mae": metrics.mean_absolute_error(y, p),
        "rmse": metrics.mean_squared_error(y, p, squared=False),
        "r2": metrics.r2_score(y, p),
    }


def rolling(y, p, threshold, window):
    """Centres at multiples of a twentieth of the window from the threshold; rows of (b - w/2, b + w/2]."""
    found = []
    step = window / 20
    for k in range(int(np.floor((y.min() - threshold) / step)), int(np.ceil((y.max() - threshold) / step)) + 1):
        centre = threshold + k * step
        inside = (y > centre - window / 2) & (y <= centre + window / 2)
        if inside.any():
            found.append([centre, float(np.abs(y - p)[inside].mean()), int(inside.sum())])
    return found


rng = np.random.RandomState(5)
y = rng.normal(0.12, 0.15, 400)
p = y + rng.normal(0, 0.06, 400)
group = rng.randint(0, 150, 400)
first = np.unique(group, return_index=True)[1]
first.sort()
order = first[np.argsort(p[first], kind="stable")][:40]
precision = metrics.precision_score(y[order] <= 0, p[order] <= 0)
top = {"precision_first": precision, "daf_first": precision / (y[first] <= 0).mean()}
listed = np.argsort(p, kind="stable")
listed = listed[p[listed] <= 0]
golden = {
    "y": y.tolist(),
    "p": p.tolist(),
    "group": group.tolist(),
    "below": decisions(y, p, 0, False),
    "above": decisions(y, p, 0.2, True),
    "unique": {**decisions(y[first], p[first], 0, False), **top},
    "rolling": rolling(y, p, 0, 0.04),
    "curve": {
        "precision": metrics.precision_score(y <= 0, p <= 0),
        "cumulative": (np.cumsum(y[listed] <= 0) / np.arange(1, len(listed) + 1)).tolist(),
        "mae": (np.cumsum(np.abs(y - p)[listed]) / np.arange(1, len(listed) + 1)).tolist(),
    },
}
with open(f"{sys.argv[1]}/discovery.json", "w") as f:
    json.dump(golden, f, separators=(",", ":"))
    f.write("\n")
