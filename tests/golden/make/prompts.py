"""Reference values of weighted prompts from NumPy, SciPy 1.10 and scikit-learn 1.2.1, written from the paper's equations.

python3 prompts.py FOLDER   writes FOLDER/prompts.json
"""

import json
import sys

import numpy as np
from scipy.special import softmax
from scipy.stats import median_abs_deviation
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import normalize


def unit(a):
    return normalize(a.reshape(-1, a.shape[-1])).reshape(a.shape)


rng = np.random.RandomState(54)
images, texts, reference = rng.randn(40, 6), rng.randn(5, 4, 6), rng.randn(25, 6)
labels = rng.randint(4, size=40)
z, t, r = unit(images), unit(texts), unit(reference)
scale = 20.0
logits = scale * np.einsum("id,pcd->ipc", z, t)
test, pre = logits.mean(0), (scale * np.einsum("id,pcd->ipc", r, t)).mean(0)
golden = {"images": images.tolist(), "texts": texts.tolist(), "reference": reference.tolist(), "labels": labels.tolist(), "scale": scale}
for name, bias in {"none": 0, "test": test, "pretrain": pre, "both": (test + pre) / 2}.items():
    debiased = (logits - bias).max(-1)
    scores = debiased.mean(0)
    weights = softmax(scores)
    own = softmax(debiased, axis=1)
    golden[name] = {
        "scores": scores.tolist(),
        "errors": (debiased.std(0, ddof=1) / np.sqrt(len(images))).tolist(),
        "z": ((scores - np.median(scores)) / median_abs_deviation(scores)).tolist(),
        "weights": weights.tolist(),
        "accuracy": accuracy_score(labels, np.einsum("p,ipc->ic", weights, logits).argmax(1)),
        "accuracy_each": accuracy_score(labels, np.einsum("ip,ipc->ic", own, logits).argmax(1)),
    }
with open(f"{sys.argv[1]}/prompts.json", "w") as f:
    json.dump(golden, f, separators=(",", ":"))
    f.write("\n")
