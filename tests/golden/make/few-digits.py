"""Overconfident classifiers: MLPs 64-128-128-10 trained on 100 images of the UCI digits, 600 full-batch Adam steps (cards 11 and 43).

python3 few-digits.py ../../fixtures/data/digits.npz ../../fixtures/models
Rows of the seed's permutation: 0-99 for training, 100-899 for calibration, the rest for testing; they are in the model's metadata.
"""
import json
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

data = np.load(sys.argv[1])
x = torch.tensor(data["x"].reshape(len(data["y"]), -1).astype(np.float32) / 16)
y = torch.tensor(data["y"].astype(np.int64))
for seed in (0, 1):
    order = np.random.RandomState(seed).permutation(len(y))
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    train = order[:100]
    for _ in range(600):
        adam.zero_grad()
        torch.nn.functional.cross_entropy(net(x[train]), y[train]).backward()
        adam.step()
    test = order[900:]
    print(seed, float((net(x[test]).argmax(1) == y[test]).float().mean()))
    nodes, weights, value = [helper.make_node("Flatten", ["x"], ["flat"], axis=1)], [], "flat"
    for k, layer in enumerate(m for m in net if isinstance(m, torch.nn.Linear)):
        weights += [
            numpy_helper.from_array(layer.weight.detach().numpy(), f"w{k}"),
            numpy_helper.from_array(layer.bias.detach().numpy(), f"b{k}"),
        ]
        out = "logits" if k == 2 else f"h{k}"
        nodes.append(helper.make_node("Gemm", [value, f"w{k}", f"b{k}"], [out], transB=1))
        value = out
        if k < 2:
            nodes.append(helper.make_node("Relu", [out], [f"r{k}"]))
            value = f"r{k}"
    graph = helper.make_graph(
        nodes,
        "few_digits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {"order": json.dumps(order.tolist())})
    onnx.save(model, f"{sys.argv[2]}/few_digits_{seed}.onnx")
