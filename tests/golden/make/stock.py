"""Runs gradient graphs exported by stock.ts with the released onnxruntime package (CPU) and keeps what they give.

    node --import tsx tests/golden/make/stock.ts FOLDER
    python tests/golden/make/stock.py FOLDER tests/golden/autodiff/stock.npz     (pip install onnxruntime==1.30.0 numpy)
"""
import glob
import os
import sys

import numpy
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema, get_all_opkernel_def

folder, out = sys.argv[1:]
# What the package can run on the CPU: operators with a kernel, and those defined as functions of others.
operators = {f"{k.domain}:{k.op_name}" for k in get_all_opkernel_def() if k.provider == "CPUExecutionProvider"}
operators |= {f"{s.domain}:{s.name}" for s in get_all_operator_schema() if getattr(s, "has_function", False)}
kept = {
    "version": numpy.array([onnxruntime.__version__]),
    "operators": numpy.frombuffer("\n".join(sorted(operators)).encode(), dtype=numpy.uint8),
}
for path in sorted(glob.glob(os.path.join(folder, "*.onnx"))):
    name = os.path.basename(path)[:-5]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = dict(numpy.load(path[:-5] + ".npz"))
    for output, value in zip(session.get_outputs(), session.run(None, feeds)):
        # A few entries of each, and its norm: enough to tell, and small.
        flat = value.astype(numpy.float64).ravel()
        kept[f"{name}:{output.name}"] = numpy.concatenate([[numpy.linalg.norm(flat), flat.size], flat[:16]])
numpy.savez_compressed(out, **kept)
