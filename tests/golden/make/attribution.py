"""Attributions of the eight digits rows in golden/autodiff/NAME.npz, as PyTorch 1.13 autograd gave them in float64.

python3 attribution.py OUT.json NAME=REFERENCE.npz ...
REFERENCE.npz holds f64/ig_midpoint (Integrated Gradients of logit[n, y_n], zero baseline, midpoint rule, 50 steps),
f64/grad_input_target (its gradient), f64/target and f64/baseline_target (that logit at the rows and at zero), and x.
"""
import json
import sys

import numpy as np

out = {}
for pair in sys.argv[2:]:
    name, path = pair.split("=")
    z = np.load(path)
    out[name] = {
        key: [float(f"{v:.9g}") for v in z[f"f64/{source}"].ravel()]
        for key, source in (
            ("integrated", "ig_midpoint"),
            ("gradient", "grad_input_target"),
            ("target", "target"),
            ("baseline", "baseline_target"),
        )
    }
with open(sys.argv[1], "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
