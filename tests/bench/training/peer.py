"""PyTorch eager beside the trainer: the architectures of src/training/architectures written out, with our first parameters.

Reads one JSON request a line and answers with one: {"do": "open", "recipe", "folder", "classes"} reads rows.npz and start.npz of
the folder, {"do": "train", "rows": [[...]...]} makes a step of each list of rows -> {"seconds", "cpuSeconds", "loss"}, {"do": "loader", "steps",
"batch"} makes so many steps of a DataLoader's batches, as PyTorch's tutorials do, {"do": "evaluate"} -> the accuracy on the test rows.
"""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Linear(nn.Module):
    def __init__(self, row, classes):
        super().__init__()
        self.fc = nn.Linear(int(np.prod(row)), classes)

    def forward(self, x):
        return self.fc(torch.flatten(x, 1))


class Mlp(nn.Module):
    def __init__(self, row, hidden, classes):
        super().__init__()
        sizes = [int(np.prod(row)), *hidden, classes]
        self.count = len(sizes) - 1
        for i in range(self.count):
            setattr(self, f"dense{i + 1}", nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x):
        x = torch.flatten(x, 1)
        for i in range(1, self.count):
            x = F.relu(getattr(self, f"dense{i}")(x))
        return getattr(self, f"dense{self.count}")(x)


class Cnn(nn.Module):
    def __init__(self, row, channels, kernel, hidden, classes):
        super().__init__()
        self.depth, at, (_, height, width) = len(channels), row[0], row
        for i, out in enumerate(channels, 1):
            setattr(self, f"conv{i}", nn.Conv2d(at, out, kernel, padding=kernel // 2))
            setattr(self, f"bn{i}", nn.BatchNorm2d(out))
            at, height, width = out, height // 2, width // 2
        self.rest = len(hidden) + 1
        sizes = [at * height * width, *hidden, classes]
        for i in range(self.rest):
            setattr(self, f"dense{i + 1}", nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x):
        for i in range(1, self.depth + 1):
            x = F.max_pool2d(F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))), 2)
        x = torch.flatten(x, 1)
        for i in range(1, self.rest):
            x = F.relu(getattr(self, f"dense{i}")(x))
        return getattr(self, f"dense{self.rest}")(x)


class Residual(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        if i != o or stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    """With projections where channels grow."""

    def __init__(self, row, depth, width, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(row[0], width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        at = width
        for stage in (1, 2, 3):
            out, blocks = width * 2 ** (stage - 1), []
            for k in range((depth - 2) // 6):
                blocks.append(Residual(at, out, 2 if stage > 1 and k == 0 else 1))
                at = out
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(at, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def encoder(width, depth, heads, hidden, epsilon):
    layer = nn.TransformerEncoderLayer(
        width, heads, hidden, dropout=0.0, activation="gelu", layer_norm_eps=epsilon, batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, depth, nn.LayerNorm(width, eps=epsilon))


class Text(nn.Module):
    def __init__(self, length, vocabulary, width, depth, heads, hidden, classes):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(length, width))
        self.encoder, self.fc = encoder(width, depth, heads, hidden, 1e-5), nn.Linear(width, classes)
        # Finite, so that a text without words has no NaN.
        self.register_buffer("far", torch.tensor(-1e9))
        self.register_buffer("none", torch.tensor(0.0))

    def forward(self, x):
        empty = x == 0
        h = self.encoder(self.embedding(x) + self.positions, src_key_padding_mask=torch.where(empty, self.far, self.none))
        kept = (~empty).to(h.dtype).unsqueeze(-1)
        return self.fc((h * kept).sum(1) / kept.sum(1).clamp(min=1.0))


class Vit(nn.Module):
    def __init__(self, row, patch, width, depth, heads, hidden, classes):
        super().__init__()
        count = (row[1] // patch) * (row[2] // patch)
        self.patches = nn.Conv2d(row[0], width, patch, patch)
        self.cls, self.positions = nn.Parameter(torch.zeros(1, width)), nn.Parameter(torch.zeros(count + 1, width))
        self.encoder, self.fc = encoder(width, depth, heads, hidden, 1e-6), nn.Linear(width, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], 1, -1), x], 1) + self.positions
        return self.fc(self.encoder(x)[:, 0])


def numbers(text):
    return [int(n) for n in text.split(",")] if text else []


def build(arch, row, classes):
    kind = arch["kind"]
    if kind == "linear":
        return Linear(row, classes)
    if kind == "mlp":
        return Mlp(row, numbers(arch.get("hidden", "")), classes)
    if kind == "cnn":
        return Cnn(row, numbers(arch["channels"]), arch["kernel"], numbers(arch["hidden"]), classes)
    if kind == "resnet":
        return ResNet(row, arch["depth"], arch["width"], classes)
    sizes = [arch[k] for k in ("width", "depth", "heads", "hidden")]
    if kind == "text-transformer":
        return Text(row[0], arch["vocabulary"], *sizes, classes)
    return Vit(row, arch["patch"], *sizes, classes)


def first(name, given):
    """Our parameter of the same meaning: layers along the last axis are stored transposed, and queries, keys and values apart."""
    if name in given:
        return given[name]
    name = name.replace("encoder.norm", "norm").replace("encoder.layers", "layers")
    for ours, theirs in (("attention.out", "self_attn.out_proj"), ("dense1", "linear1"), ("dense2", "linear2")):
        name = name.replace(theirs, ours)
    for part in ("weight", "bias"):
        if name.endswith(f"self_attn.in_proj_{part}"):
            at = name[:-len(f"self_attn.in_proj_{part}")]
            return np.concatenate([given[f"{at}attention.{what}.{part}"].T for what in ("query", "key", "value")])
    if name == "embedding.weight":
        return given["embedding"]
    value = given[name]
    return value.T if name.startswith("layers.") and value.ndim == 2 else value


OPTIMIZERS = {
    "sgd": lambda p, o: torch.optim.SGD(p, lr=o["lr"], momentum=o.get("momentum", 0.0)),
    "adam": lambda p, o: torch.optim.Adam(p, lr=o["lr"]),
}


class Run:
    def __init__(self, recipe, folder, classes):
        rows, given = np.load(f"{folder}/rows.npz"), np.load(f"{folder}/start.npz")
        self.data = {key: torch.from_numpy(rows[key]) for key in rows.files}
        self.model = build(recipe["arch"], list(rows["x"].shape[1:]), classes)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(first(name, given))))
        optimizer = recipe["optimizer"]
        self.optimizer = OPTIMIZERS[optimizer["kind"]](self.model.parameters(), optimizer)

    def train(self, lists):
        x, y = self.data["x"], self.data["y"]
        losses = []
        self.model.train()
        t, busy = time.perf_counter(), time.process_time()
        for rows in torch.tensor(lists):
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(x[rows]), y[rows])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        seconds, cpu = time.perf_counter() - t, time.process_time() - busy
        return {"seconds": seconds, "cpuSeconds": cpu, "loss": [float(l) for l in losses]}

    def loader(self, steps, batch):
        """The loop of PyTorch's tutorials: shuffled batches of a DataLoader without workers, the loss read at every hundredth batch."""
        made, losses = 0, []
        self.model.train()
        t, busy = time.perf_counter(), time.process_time()
        while made < steps:
            for i, (x, y) in enumerate(self.batches(batch)):
                loss = F.cross_entropy(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                self.optimizer.zero_grad()
                if i % 100 == 0:
                    losses.append(loss.item())
                made += 1
                if made == steps:
                    break
        return {"seconds": time.perf_counter() - t, "cpuSeconds": time.process_time() - busy, "loss": losses}

    def batches(self, batch):
        rows = TensorDataset(self.data["x"], self.data["y"])
        return DataLoader(rows, batch_size=batch, shuffle=True, drop_last=True)

    def evaluate(self):
        self.model.eval()
        x, y = self.data["xTest"], self.data["yTest"]
        with torch.no_grad():
            right = sum(int((self.model(x[i:i + 256]).argmax(1) == y[i:i + 256]).sum()) for i in range(0, len(y), 256))
        return {"accuracy": right / len(y)}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    run = None
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            if ask["do"] == "open":
                run = Run(ask["recipe"], ask["folder"], ask["classes"])
                answer = {"parameters": sum(p.numel() for p in run.model.parameters()), "version": torch.__version__}
            elif ask["do"] == "train":
                answer = run.train(ask["rows"])
            elif ask["do"] == "loader":
                answer = run.loader(ask["steps"], ask["batch"])
            else:
                answer = run.evaluate()
        except Exception as error:  # what this build of PyTorch lacks is left out of the comparison
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
