"""`python3 tests/golden/make/architectures.py`: logits, loss and gradients of small networks of every architecture by PyTorch (1.13, float64),
into ../training/architectures.json. Parameter j holds s·sin(0.9k + 1.3j + 0.5), s = 0.4, or 1 + 0.2·sin of the same where it is a scale."""
import json
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

f64 = torch.float64
torch.set_default_dtype(f64)


def filled(index, shape, scale):
    wave = torch.sin(0.9 * torch.arange(torch.Size(shape).numel(), dtype=f64) + 1.3 * index + 0.5).reshape(shape)
    return (1 + 0.2 * wave if scale else 0.4 * wave).requires_grad_()


class Parameters:
    def __init__(self):
        self.all = {}
        self.scales = set()

    def __call__(self, name, *shape, scale=False):
        if name not in self.all:
            self.all[name] = filled(len(self.all), shape, scale)
            if scale:
                self.scales.add(name)
        return self.all[name]


def dense(p, x, name, out):
    return F.linear(x, p(f"{name}.weight", out, x.shape[-1]), p(f"{name}.bias", out))


def linear(p, x, _):
    return dense(p, x.flatten(1), "fc", 3)


def norm2d(p, x, name, running):
    c = x.shape[1]
    mean, var = torch.zeros(c), torch.ones(c)
    out = F.batch_norm(x, mean, var, p(f"{name}.weight", c, scale=True), p(f"{name}.bias", c), training=True, momentum=0.1, eps=1e-5)
    running[f"{name}.running_mean"], running[f"{name}.running_var"] = mean, var
    return out


def resnet(shortcut):
    def build(p, x, running):
        def conv(v, name, out, k, stride=1):
            return F.conv2d(v, p(f"{name}.weight", out, v.shape[1], k, k), stride=stride, padding=k // 2)

        def block(v, name, out, stride):
            h = F.relu(norm2d(p, conv(v, f"{name}.conv1", out, 3, stride), f"{name}.bn1", running))
            h = norm2d(p, conv(h, f"{name}.conv2", out, 3), f"{name}.bn2", running)
            if stride > 1 and shortcut == "padding":
                v = F.pad(v[:, :, ::2, ::2], (0, 0, 0, 0, 0, out - v.shape[1]))
            elif stride > 1:
                v = norm2d(p, conv(v, f"{name}.downsample.0", out, 1, stride), f"{name}.downsample.1", running)
            return F.relu(h + v)

        v = F.relu(norm2d(p, conv(x, "conv1", 4, 3), "bn1", running))
        for stage in (1, 2, 3):
            v = block(v, f"layer{stage}.0", 4 * 2 ** (stage - 1), 1 if stage == 1 else 2)
        return dense(p, v.mean((2, 3)), "fc", 3)

    return build


def encoder(p, v, heads, hidden, depth, eps, padding=None):
    """torch's own encoder layers with these parameters put in their places."""
    width = v.shape[-1]
    for i in range(depth):
        layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, layer_norm_eps=eps)
        name = f"layers.{i}"
        own = {}
        for norm in ("norm1",):
            own[f"{norm}.weight"], own[f"{norm}.bias"] = p(f"{name}.{norm}.weight", width, scale=True), p(f"{name}.{norm}.bias", width)
        parts = [(p(f"{name}.attention.{q}.weight", width, width), p(f"{name}.attention.{q}.bias", width)) for q in ("query", "key", "value")]
        own["self_attn.in_proj_weight"] = torch.cat([w.T for w, _ in parts])
        own["self_attn.in_proj_bias"] = torch.cat([b for _, b in parts])
        own["self_attn.out_proj.weight"] = p(f"{name}.attention.out.weight", width, width).T
        own["self_attn.out_proj.bias"] = p(f"{name}.attention.out.bias", width)
        own["norm2.weight"], own["norm2.bias"] = p(f"{name}.norm2.weight", width, scale=True), p(f"{name}.norm2.bias", width)
        own["linear1.weight"], own["linear1.bias"] = p(f"{name}.dense1.weight", width, hidden).T, p(f"{name}.dense1.bias", hidden)
        own["linear2.weight"], own["linear2.bias"] = p(f"{name}.dense2.weight", hidden, width).T, p(f"{name}.dense2.bias", width)
        v = torch.nn.utils.stateless.functional_call(layer, own, (v,), {"src_key_padding_mask": padding})
    return F.layer_norm(v, (width,), p("norm.weight", width, scale=True), p("norm.bias", width), eps)


def vit(pool):
    def build(p, x, _):
        v = F.conv2d(x, p("patches.weight", 8, x.shape[1], 2, 2), p("patches.bias", 8), stride=2).flatten(2).transpose(1, 2)
        positions = p("positions", v.shape[1] + (pool == "class-token"), 8)
        if pool == "class-token":
            v = torch.cat([p("cls", 1, 8).expand(len(x), 1, 8), v], 1)
        v = encoder(p, v + positions, 2, 12, 2, 1e-6)
        return dense(p, v[:, 0] if pool == "class-token" else v.mean(1), "fc", 3)

    return build


def text(p, x, _):
    v = F.embedding(x, p("embedding", 7, 8)) + p("positions", x.shape[1], 8)
    padding = x == 0
    v = encoder(p, v, 2, 12, 2, 1e-5, padding)
    kept = (~padding).to(f64)[..., None]
    return dense(p, (v * kept).sum(1) / kept.sum(1), "fc", 3)


def mil(aggregator):
    def build(p, x, _):
        out = []
        wf, bf = p("feature.weight", 3, 6), p("feature.bias", 6)
        for bag in x:
            h = F.relu(bag[bag.abs().amax(1) > 0] @ wf + bf)
            if aggregator == "mean":
                out.append(h.mean(0))
            elif aggregator == "max":
                out.append(h.amax(0))
            else:
                inner = h @ p("attention.1.weight", 6, 5)
                if aggregator == "gated":
                    inner = torch.tanh(inner) * torch.sigmoid(h @ p("attention.gate.weight", 6, 5))
                else:
                    inner = F.gelu(inner)
                a = torch.softmax((inner @ p("attention.2.weight", 5, 1))[:, 0], 0)
                out.append(a @ h)
        return dense(p, torch.stack(out), "fc", 3)

    return build


def squash(s):
    q = (s * s).sum(-1, keepdim=True)
    return q / (1 + q) * s / torch.sqrt(q + 1e-9)


def capsule(full):
    def build(p, x, _):
        u = squash(dense(p, x, "primary", 12).reshape(-1, 4, 3))
        w = p("routes.weight", 4, 3, 15)
        votes = torch.einsum("nip,ipk->nik", u, w).reshape(-1, 4, 3, 5)
        held = votes if full else votes.detach()
        b = torch.zeros(votes.shape[:3])
        for r in range(3):
            read = votes if r == 2 else held
            v = squash((torch.softmax(b, 2)[..., None] * read).sum(1))
            if r < 2:
                b = b + (held * v[:, None]).sum(-1)
        return v.norm(dim=-1)

    return build


def margin(lengths, y):
    marks = F.one_hot(y, 3)
    return (marks * F.relu(0.9 - lengths) ** 2 + 0.5 * (1 - marks) * F.relu(lengths - 0.1) ** 2).sum(1).mean()


def wave(*shape):
    return torch.sin(1.1 * torch.arange(torch.Size(shape).numel(), dtype=f64) + 0.3).reshape(shape)


bags = wave(6, 4, 3)
for i in range(6):
    bags[i, 4 - i % 3 :] = 0
tokens = torch.tensor([[1, 2, 3, 4, 5], [6, 5, 4, 0, 0], [2, 2, 0, 0, 0], [1, 6, 3, 3, 0], [4, 0, 0, 0, 0], [5, 1, 2, 6, 6]])
small = {"width": 8, "depth": 2, "heads": 2, "hidden": 12}
cases = [
    ("linear", {}, wave(6, 2, 3), linear),
    ("resnet", {"depth": 8, "width": 4}, wave(6, 2, 5, 5), resnet("padding")),
    ("resnet", {"depth": 8, "width": 4, "shortcut": "projection"}, wave(6, 2, 6, 6), resnet("projection")),
    ("vit-tiny", {"patch": 2, **small}, wave(6, 2, 4, 6), vit("class-token")),
    ("vit-tiny", {"patch": 2, **small, "pool": "mean"}, wave(6, 2, 4, 6), vit("mean")),
    ("text-transformer", {"vocabulary": 7, **small}, tokens, text),
    *[("mil-attention", {"features": 6, "attention": 5, "aggregator": a}, bags, mil(a)) for a in ("attention", "gated", "mean", "max")],
    ("capsule", {"primaryCapsules": 4, "primaryDim": 3, "classDim": 5}, wave(6, 6), capsule(False)),
    ("capsule", {"primaryCapsules": 4, "primaryDim": 3, "classDim": 5, "routingGrad": "full"}, wave(6, 6), capsule(True)),
]
y = torch.tensor([0, 1, 2, 2, 1, 0])
runs = []
for arch, options, x, build in cases:
    p, running = Parameters(), {}
    logits = build(p, x, running)
    loss = margin(logits, y) if arch == "capsule" else F.cross_entropy(logits, y)
    loss.backward()
    rounded = lambda t: [float(f"{v:.9g}") for v in t.detach().flatten().tolist()]
    runs.append({
        "arch": arch,
        "options": options,
        "loss": "margin" if arch == "capsule" else "cross-entropy",
        "row": list(x.shape[1:]),
        "x": rounded(x),
        "logits": rounded(logits),
        "mean": loss.item(),
        "parameters": [{"name": n, "dims": list(t.shape), "scale": n in p.scales, "gradient": rounded(t.grad)} for n, t in p.all.items()],
        "running": {n: rounded(t) for n, t in running.items()},
    })
out = Path(__file__).parent.parent / "training/architectures.json"
out.write_text(json.dumps({"labels": y.tolist(), "runs": runs}) + "\n")
