"""Reference fits of calibrators from scikit-learn 1.2 and SciPy 1.10, on the logits that diagnostics.py wrote.

python3 recalibration.py ../diagnostics/digits.json ../diagnostics/recalibration.json
"""
import json
import sys

import numpy as np
from scipy import optimize, special
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

digits = json.load(open(sys.argv[1]))
y = np.array(digits["labels"])
z = np.array(digits["logits"], np.float32).astype(np.float64).reshape(len(y), 10)
n, c = z.shape
logp = special.log_softmax(z, axis=1)
p = np.exp(logp)
one_hot = np.eye(c)[y]
# ln(1 - p) from the other classes, where p may be so near 1 that it is lost in 1 - p.
log_rest = np.stack([special.logsumexp(np.delete(logp, j, 1), axis=1) for j in range(c)], 1)
out = {}


class Given(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose scores are its inputs."""

    def __init__(self):
        self.classes_ = np.arange(c)

    def fit(self, x, y):
        return self

    def __sklearn_is_fitted__(self):
        return True


class GivenProbabilities(Given):
    def predict_proba(self, X):
        return X


class GivenScores(Given):
    def decision_function(self, X):
        return X


def nll(q):
    return log_loss(y, q, labels=range(c), eps=1e-12)


q = CalibratedClassifierCV(GivenProbabilities(), method="isotonic", cv="prefit").fit(p, y).predict_proba(p)
out["isotonic"] = {"probs": q[:40].tolist(), "brier": float(((q - one_hot) ** 2).sum(1).mean())}
q = CalibratedClassifierCV(GivenScores(), method="sigmoid", cv="prefit").fit(logp - log_rest, y).predict_proba(logp - log_rest)
out["platt"] = {"probs": q[:40].tolist(), "nll": nll(q)}

# Classes that logits tell apart without error have no finite beta fit: labels are disturbed for this one.
noisy = np.where(np.arange(n) % 7 == 0, (y + 1) % c, y)
rows = []
for j in range(c):
    x = np.stack([np.log(np.maximum(p[:, j], 1e-25)), -np.log(np.maximum(np.exp(log_rest[:, j]), 1e-25))], 1)
    m = LogisticRegression(C=1e11, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(x, noisy == j)
    (a, b), k = m.coef_[0], m.intercept_[0]
    if a < 0 or b < 0:
        kept = 1 if a < 0 else 0
        m = LogisticRegression(C=1e11, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(x[:, [kept]], noisy == j)
        w = max(0, m.coef_[0][0])
        a, b, k = (0, w, m.intercept_[0]) if kept else (w, 0, m.intercept_[0])
    rows.append([float(v) for v in (a, b, k)])
out["beta"] = {"labels": noisy.tolist(), "abc": rows}


def slope(beta):
    return ((special.softmax(beta * z, axis=1) * z).sum(1) - z[np.arange(n), y]).mean()


out["temperature"] = 1 / optimize.brentq(slope, 1e-2, 1e2, xtol=1e-15, rtol=1e-15)


def fit(design, size, penalty):
    """Least mean log loss of design(theta) plus penalty, by two methods that must agree."""

    def loss(t):
        u, back = design(t)
        r = (special.softmax(u, axis=1) - one_hot) / n
        value, grad = penalty(t)
        return -special.log_softmax(u, axis=1)[np.arange(n), y].mean() + value, back(r) + grad

    first = optimize.minimize(loss, size, jac=True, method="L-BFGS-B", options={"maxiter": 20000, "maxfun": 40000, "ftol": 0, "gtol": 1e-10})
    second = optimize.minimize(loss, first.x, jac=True, method="BFGS", options={"gtol": 1e-10})
    assert abs(first.fun - second.fun) < 1e-9, (first.fun, second.fun)
    return second.x, float(second.fun)


l2 = 0.01
start = np.r_[np.ones(c), np.zeros(c)]
theta, value = fit(
    lambda t: (z * t[:c] + t[c:], lambda r: np.r_[(r * z).sum(0), r.sum(0)]),
    start,
    lambda t: (l2 * ((t - start) ** 2).sum(), 2 * l2 * (t - start)),
)
out["vector"] = {"l2": l2, "weights": theta[:c].tolist(), "biases": theta[c:].tolist(), "objective": value}

odir = 0.01
off = np.r_[(1 - np.eye(c)).ravel() / (c * (c - 1)), np.ones(c) / c] * odir
theta, value = fit(
    lambda t: (z @ t[: c * c].reshape(c, c).T + t[c * c :], lambda r: np.r_[(r.T @ z).ravel(), r.sum(0)]),
    np.r_[np.eye(c).ravel(), np.zeros(c)],
    lambda t: ((off * t * t).sum(), 2 * off * t),
)
w, b = theta[: c * c].reshape(c, c), theta[c * c :]
out["matrix"] = {"odir": odir, "objective": value, "probs": special.softmax(z @ w.T + b, axis=1)[:40].tolist()}

iso = IsotonicRegression(out_of_bounds="clip").fit([0.1, 0.2, 0.2, 0.3, 0.5, 0.5, 0.9], [0, 1, 0, 0, 1, 0, 1])
at = [0, 0.1, 0.15, 0.2, 0.4, 0.5, 0.7, 0.9, 2]
out["isotonic_ties"] = {"at": at, "values": iso.predict(at).tolist()}
json.dump(out, open(sys.argv[2], "w"))
