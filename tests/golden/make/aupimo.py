"""Makes tests/golden/diagnostics/aupimo.npz: maps, masks and their scores by NumPy and SciPy, apart from the product.

python3 aupimo.py OUT      (numpy, scipy, scikit-learn)

AUPIMO is computed as its definition says, pixel by pixel and threshold by threshold: exact by walking through every normal score,
reference by 300,000 thresholds and trapezoids in the logarithm. AUPRO walks through every distinct score. Maps are rounded to
hundredths, so that there are ties everywhere.
"""
import sys
import numpy as np
from scipy import ndimage, stats
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(33)
N, A, S = 12, 8, 32
lower, upper = 1e-3, 1e-2
maps = rng.normal(size=(N + A, S, S))
masks = np.zeros((N + A, S, S), 'u1')
for j in range(A):
    y, x = rng.integers(2, 18, 2)
    masks[N + j, y : y + 5, x : x + 6] = 1
    if j % 2:
        masks[N + j, 27:31, 1 + j : 5 + j] = 1
    maps[N + j][masks[N + j] == 1] += 0.5 * (j + 1)
maps = np.round(maps, 2).astype('f2').astype('f8')
order = rng.permutation(N + A)
maps, masks = maps[order], masks[order]
normal = masks.reshape(N + A, -1).max(1) == 0
ns = maps[normal].ravel()


def exact(defect):
    level, total, before = np.unique(ns)[::-1], 0.0, 0.0
    for v in level:
        after = (ns >= v).mean()
        a, b = max(before, lower), min(after, upper)
        if b > a:
            total += (defect > v).mean() * np.log(b / a)
        before = after
        if before >= upper:
            break
    return total / np.log(upper / lower)


t = np.linspace(ns.min(), ns.max(), 300_000)
srt = np.sort(ns)
F = 1 - np.searchsorted(srt, t, side='left') / len(ns)
lo, hi = np.argmin(np.abs(F - lower)), np.argmin(np.abs(F - upper))


def reference(defect):
    d = np.sort(defect)
    T = 1 - np.searchsorted(d, t, side='left') / len(d)
    f, r = F[hi : lo + 1], T[hi : lo + 1]
    keep = f > 0
    f, r = np.log(f[keep])[::-1], r[keep][::-1]
    return np.clip(np.sum(np.diff(f) * (r[1:] + r[:-1]) / 2) / np.log(upper / lower), 0, 1)


anomalous = np.flatnonzero(~normal)
defects = [maps[j][masks[j] == 1] for j in anomalous]
regions = []
for j in anomalous:
    label, count = ndimage.label(masks[j], structure=np.ones((3, 3)))
    regions += [np.sort(maps[j][label == k]) for k in range(1, count + 1)]
neg = np.sort(maps[masks == 0])
xs, ys = [0.0], [0.0]
for v in np.unique(maps)[::-1]:
    xs.append((neg >= v).mean())
    ys.append(np.mean([(r >= v).mean() for r in regions]))
xs, ys = np.array(xs), np.array(ys)
k = np.searchsorted(xs, 0.3, side='right')
x = np.append(xs[:k], 0.3)
y = np.append(ys[:k], np.interp(0.3, xs[k - 1 : k + 1], ys[k - 1 : k + 1]))
aupro = np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) / 0.3

other = np.array([exact(d - 0.2 + 0.4 * rng.random(len(d))) for d in defects])
mine = np.array([exact(d) for d in defects])
pairs = {f'd{i}': v for i, v in enumerate([rng.normal(0.2, 1, 12), rng.normal(0, 1, 40), np.round(rng.normal(0.3, 1, 15), 1), np.array([0, 0, 1.0, -2, 3, 4])])}
tests = {}
for name, d in pairs.items():
    d = d[d != 0]
    tie = len(np.unique(np.abs(d))) < len(d)
    tests['p_' + name] = stats.wilcoxon(d, mode='exact' if len(d) <= 25 and not tie else 'approx').pvalue
np.savez_compressed(
    sys.argv[1], maps=maps.astype('f2'), masks=masks, rows=anomalous, exact=mine, reference=[reference(d) for d in defects],
    auroc=roc_auc_score(masks.ravel(), maps.ravel()), aupro=aupro, **pairs, **tests,
)
print(mine, aupro, [reference(d) for d in defects], tests)
