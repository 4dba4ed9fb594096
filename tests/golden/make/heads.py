"""Reference heads on the raw pixels of the digits: scikit-learn 1.2 (LogisticRegression, GaussianNB) and SciPy 1.10.

python3 heads.py ../../fixtures/data/digits.npz ../diagnostics/heads.json
"""
import json
import sys

import numpy as np
from scipy import special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler

data = np.load(sys.argv[1], allow_pickle=False)
x = data["x"].reshape(len(data["x"]), -1).astype(np.float64)
y = data["y"].astype(int)
fit, shown = slice(0, 200), slice(1400, 1600)
scaler = MinMaxScaler().fit(x[fit])
xs = scaler.transform(x)

out = {"fit": [0, 200], "shown": [1400, 1600]}
for strength in (1.0, 0.01):
    lr = LogisticRegression(C=strength, solver="newton-cg", tol=1e-12, max_iter=100000).fit(xs[fit], y[fit])
    loss = -np.sum(np.log(lr.predict_proba(xs[fit])[np.arange(200), y[fit]]))
    out[f"logistic_{strength:g}"] = {
        "weights": lr.coef_.ravel().tolist(),
        "biases": lr.intercept_.tolist(),
        "objective": float(0.5 * np.sum(lr.coef_**2) + strength * loss),
        "predicted": lr.predict(xs[shown]).tolist(),
    }

# GaussianNB gives priors, means and variances of each class; the head shares them, so its posterior is SciPy's density.
nb = GaussianNB(var_smoothing=0).fit(xs[fit], y[fit])
variance = nb.class_prior_ @ nb.var_ + 1e-9
joint = np.stack([np.log(p) + stats.norm.logpdf(xs[shown], m, np.sqrt(variance)).sum(1) for p, m in zip(nb.class_prior_, nb.theta_)], 1)
posterior = special.softmax(joint, axis=1)
out["naive_bayes"] = {
    "variances": variance.tolist(),
    "posterior": posterior[:30].tolist(),
    "predicted": posterior.argmax(1).tolist(),
}
json.dump(out, open(sys.argv[2], "w"))
