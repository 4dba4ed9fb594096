"""Reference values of the metrics from scikit-learn 1.2, SciPy 1.10 and PyTorch 1.13.

python3 diagnostics.py LOGITS.npz BEFORE.json OUT_FOLDER
LOGITS.npz holds `test/logits`, `test/y` and `test/reliability15` of a classifier of the UCI digits (MLP 64-32-10);
BEFORE.json holds acc, nll, brier and ece15 as its maker computed them.
"""
import json
import sys
import warnings

import numpy as np
import torch
from scipy import special, stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")


def floats(a):
    return [float(repr(v)) if not isinstance(v, np.float32) else float(str(v)) for v in np.asarray(a).ravel()]


def scores(y, p, pred):
    out = {
        "confusion": metrics.confusion_matrix(y, pred, labels=range(p.shape[1])).ravel().tolist(),
        "accuracy": metrics.accuracy_score(y, pred),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, pred),
        "cohen_kappa": metrics.cohen_kappa_score(y, pred),
        "mcc": metrics.matthews_corrcoef(y, pred),
    }
    for average in ("macro", "weighted", "micro"):
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, pred, average=average, zero_division=0)
        out.update({f"{average}_precision": precision, f"{average}_recall": recall, f"{average}_f1": f1})
    per = metrics.precision_recall_fscore_support(y, pred, labels=range(p.shape[1]), zero_division=0)
    out.update({name: np.asarray(v).tolist() for name, v in zip(("precision", "recall", "f1", "support"), per)})
    c, a = p.max(1), (pred == y).astype(int)
    out.update(
        nll=metrics.log_loss(y, p, labels=range(p.shape[1]), eps=1e-12),
        entropy=float(stats.entropy(p, axis=1).mean()),
        brier=sum(metrics.brier_score_loss(y == j, p[:, j]) for j in range(p.shape[1])),
        brier_top=metrics.brier_score_loss(a, c),
        auroc_correct=metrics.roc_auc_score(a, c),
    )
    out["curve"] = [v.tolist() for v in calibration_curve(a, c, n_bins=15, strategy="uniform")]
    return out


logits_file, before, folder = sys.argv[1:4]
data = np.load(logits_file)
z32, y = data["test/logits"], data["test/y"].astype(np.int64)
z = z32.astype(np.float64)
p = special.softmax(z, axis=1)
digits = scores(y, p, p.argmax(1))
digits.update(
    nll_torch=float(torch.nn.functional.cross_entropy(torch.from_numpy(z), torch.from_numpy(y))),
    logits=floats(z32),
    labels=y.tolist(),
    before=json.load(open(before)),
    reliability15=data["test/reliability15"].tolist(),
)

# Class 3 is never predicted, class 4 only predicted, class 5 neither occurs nor is predicted: what averages do with undefined ratios.
rng = np.random.RandomState(7)
n = 90
label = rng.choice([0, 1, 2, 3], n, p=[0.5, 0.3, 0.15, 0.05])
q = rng.dirichlet([0.6] * 6, n)
q[:, 3] *= 0.02
q[:, 5] *= 0.001
q[np.arange(n), label] += 0.35 * (label != 3)
q = np.round(q / q.sum(1, keepdims=True) * 4096) / 4096
q[:, 0] += 1 - q.sum(1)
sparse = scores(label, q, q.argmax(1))
sparse.update(probs=floats(q), labels=label.tolist())
assert sparse["confusion"][3::6] == sparse["confusion"][5::6] == [0] * 6 and sparse["support"][4:] == [0, 0]

x = [-4, -2.5, -1, -0.3, 0, 1e-9, 0.1, 0.5, 1, 1.5, 2, 2.9, 3, 3.1, 4, 5, 6]
q_ = [1e-12, 1e-6, 0.001, 0.025, 0.1, 0.3, 0.5, 0.7, 0.95, 0.975, 0.9995, 1 - 1e-9]
maths = {
    "erf": [[v, float(special.erf(v))] for v in x],
    "erfc": [[v, float(special.erfc(v))] for v in x],
    "quantile": [[v, float(stats.norm.ppf(v))] for v in q_],
    "binomial": [[n_, p_, stats.binom.pmf(range(n_ + 1), n_, p_).tolist()] for n_, p_ in ((7, 0.3), (12, 0.9))],
}
for name, content in (("digits", digits), ("sparse", sparse), ("maths", maths)):
    with open(f"{folder}/{name}.json", "w") as f:
        json.dump(content, f, separators=(",", ":"))
        f.write("\n")
