"""Reference values for labels with distances from SciPy 1.10: shortest paths, and which labels can be answered.

python3 frechet.py FOLDER   writes FOLDER/frechet.json
"""

import json
import sys

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import shortest_path


def reachable(costs):
    """Columns v for which some w >= 0, sum w = 1 has w·(costs[:, v] - costs[:, u]) <= 0 for every u."""
    classes, labels = costs.shape
    found = []
    for v in range(labels):
        a = (costs[:, [v]] - np.delete(costs, v, axis=1)).T
        solved = linprog(np.zeros(classes), A_ub=a, b_ub=np.zeros(len(a)), A_eq=np.ones((1, classes)), b_eq=[1], method="highs")
        found.append(int(solved.status == 0))
    return found


rng = np.random.RandomState(41)
graphs = []
for _ in range(4):
    n = 12
    edges = [(i, rng.randint(i), round(float(rng.rand() * 3 + 0.2), 3)) for i in range(1, n)]
    edges += [(int(a), int(b), round(float(rng.rand() * 3 + 0.2), 3)) for a, b in rng.randint(n, size=(6, 2)) if a != b]
    weights = np.full((n, n), np.inf)
    for a, b, w in edges:
        weights[a, b] = weights[b, a] = min(weights[a, b], w)
    weights[np.isinf(weights)] = 0
    paths = shortest_path(csr_matrix(weights), directed=False)
    graphs.append({"edges": edges, "paths": paths.round(12).tolist()})
tables = []
for k in range(12):
    points = rng.randn(9, 2 if k % 2 else 4)
    d = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    observed = sorted(rng.choice(9, 4, replace=False).tolist())
    tables.append({"distances": d.tolist(), "observed": observed, **{f"power{p}": reachable(d[observed] ** p) for p in (1, 2)}})
with open(f"{sys.argv[1]}/frechet.json", "w") as f:
    json.dump({"graphs": graphs, "tables": tables}, f, separators=(",", ":"))
    f.write("\n")
