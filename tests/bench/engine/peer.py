"""PyTorch eager beside the engine: the architectures of tests/fixtures/models written out, timed on request.

Reads one JSON request a line and answers with one: {"do": "open", "model", "batch"} -> {"kinds"},
{"do": "time", "kind", "calls"} -> {"ms"}, {"do": "memory", "model", "batch"} -> {"mb"}. Weights are drawn, as times do not
depend on them.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 8, 5, padding=2), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 16, 5), nn.BatchNorm2d(16)
        self.fc1, self.fc2 = nn.Linear(400, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class Residual(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
        self.c2, self.b2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        plain = i == o and s == 1
        self.short = nn.Identity() if plain else nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.short(x))


class ResNet8(nn.Module):
    def __init__(self, w=12):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4914, 0.4822, 0.4465]).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor([0.2470, 0.2435, 0.2616]).view(1, -1, 1, 1))
        self.conv, self.bn = nn.Conv2d(3, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w)
        self.blocks = nn.Sequential(Residual(w, w, 1), Residual(w, 2 * w, 2), Residual(2 * w, 4 * w, 2))
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(4 * w, 10)

    def forward(self, x):
        x = F.relu(self.bn(self.conv((x - self.mean) / self.std)))
        return self.fc(torch.flatten(self.pool(self.blocks(x)), 1))


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.h, self.qkv, self.proj = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x, bias=None):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1)) * (d // self.h) ** -0.5
        if bias is not None:
            a = a + bias
        return self.proj((a.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d))


class Encoder(nn.Module):
    def __init__(self, d, heads, ff, pre=False):
        super().__init__()
        self.pre, self.attn = pre, Attention(d, heads)
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.f1, self.f2 = nn.Linear(d, ff), nn.Linear(ff, d)

    def feed(self, x):
        return self.f2(F.gelu(self.f1(x)))

    def forward(self, x, bias=None):
        if self.pre:
            x = x + self.attn(self.n1(x), bias)
            return x + self.feed(self.n2(x))
        x = self.n1(x + self.attn(x, bias))
        return self.n2(x + self.feed(x))


class ViT(nn.Module):
    def __init__(self, size, patch, d, depth, heads):
        super().__init__()
        self.patch = nn.Conv2d(1, d, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.pos = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, d) * 0.02)
        self.blocks = nn.ModuleList([Encoder(d, heads, 2 * d, pre=True) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos
        for b in self.blocks:
            x = b(x)
        return self.head(self.norm(x)[:, 0])


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.pos = nn.Embedding(1000, 32), nn.Parameter(torch.randn(1, 32, 32) * 0.02)
        self.enc, self.head = Encoder(32, 4, 64), nn.Linear(32, 2)
        self.register_buffer("zero", torch.tensor(0.0))
        self.register_buffer("masked", torch.tensor(-1e4))

    def forward(self, ids):
        keep = ids != 0
        x = self.enc(self.emb(ids) + self.pos, torch.where(keep, self.zero, self.masked)[:, None, None, :])
        m = keep.to(x.dtype).unsqueeze(-1)
        return self.head((x * m).sum(1) / m.sum(1).clamp(min=1.0))


class Rows(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.head = kind(8, 32, batch_first=True), nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.rnn(x.squeeze(1))[0][:, -1])


class Tabular(nn.Module):
    def __init__(self, dims, act, regression=False):
        super().__init__()
        self.regression = regression
        self.register_buffer("mean", torch.zeros(dims[0]))
        self.register_buffer("std", torch.ones(dims[0]))
        layers = [m for i, o in zip(dims[:-2], dims[1:-1]) for m in (nn.Linear(i, o), act())]
        self.net = nn.Sequential(*layers, nn.Linear(dims[-2], dims[-1]))

    def forward(self, x):
        z = self.net((x - self.mean) / self.std)
        return (z * 77.0 + 152.0).squeeze(-1) if self.regression else z


class Fire(nn.Module):
    def __init__(self, i, s, e):
        super().__init__()
        self.squeeze, self.one, self.three = nn.Conv2d(i, s, 1), nn.Conv2d(s, e, 1), nn.Conv2d(s, e, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x), inplace=True)
        return torch.cat([F.relu(self.one(x), inplace=True), F.relu(self.three(x), inplace=True)], 1)


def squeezenet():
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(True), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(), Fire(128, 32, 128),
        Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        nn.Dropout(0.5), nn.Conv2d(512, 1000, 1), nn.ReLU(True), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Inverted(nn.Module):
    def __init__(self, i, o, stride, t):
        super().__init__()
        h = i * t
        self.plain = stride == 1 and i == o
        wide = [] if t == 1 else [nn.Conv2d(i, h, 1, bias=False), nn.BatchNorm2d(h), nn.ReLU6(True)]
        deep = [nn.Conv2d(h, h, 3, stride, 1, groups=h, bias=False), nn.BatchNorm2d(h), nn.ReLU6(True)]
        self.conv = nn.Sequential(*wide, *deep, nn.Conv2d(h, o, 1, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return x + self.conv(x) if self.plain else self.conv(x)


def mobilenet(width=0.35, classes=100):
    def even(v):
        n = max(8, int(v + 4) // 8 * 8)
        return n + 8 if n < 0.9 * v else n
    i = even(32 * width)
    layers = [nn.Conv2d(3, i, 3, 2, 1, bias=False), nn.BatchNorm2d(i), nn.ReLU6(True)]
    for t, c, n, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        o = even(c * width)
        for k in range(n):
            layers.append(Inverted(i, o, s if k == 0 else 1, t))
            i = o
    head = [nn.Conv2d(i, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(True)]
    return nn.Sequential(*layers, *head, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, classes))


image = lambda *row: lambda n: torch.rand(n, *row)
MODELS = {
    "softmax_digits": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), image(1, 8, 8), 10),
    "mlp_digits": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), image(1, 8, 8), 10),
    "mlp_breast_cancer": (lambda: Tabular([30, 16, 8, 2], nn.Tanh), image(30), 2),
    "mlp_diabetes": (lambda: Tabular([10, 16, 8, 1], nn.ReLU, True), image(10), 0),
    "vit_digits": (lambda: ViT(8, 2, 32, 2, 4), image(1, 8, 8), 10),
    "vit_mnist": (lambda: ViT(28, 7, 64, 2, 4), image(1, 28, 28), 10),
    "lenet_mnist": (LeNet, image(1, 28, 28), 10),
    "resnet8_cifar10": (ResNet8, image(3, 32, 32), 10),
    "text_sms": (Text, lambda n: torch.randint(0, 1000, (n, 32)), 2),
    "lstm_digits": (lambda: Rows(nn.LSTM), image(1, 8, 8), 10),
    "gru_digits": (lambda: Rows(nn.GRU), image(1, 8, 8), 10),
    "squeezenet1_1": (squeezenet, image(3, 64, 64), 1000),
    "mobilenet_v2_035": (mobilenet, image(3, 64, 64), 100),
}


def tasks(name, n):
    """Calls by kind. The parameters' own gradients are off where only the input's is asked for, as one would write it."""
    build, rows, classes = MODELS[name]
    torch.manual_seed(0)
    model = build()
    x = rows(n)
    y = torch.randint(0, classes, (n,)) if classes else torch.rand(n)
    loss = (lambda z: F.cross_entropy(z, y)) if classes else (lambda z: F.mse_loss(z, y))
    parameters = list(model.parameters())
    directions = [torch.randn_like(p) for p in parameters]
    optimizer = torch.optim.SGD(parameters, lr=1e-4)

    def mode(training, wanted):
        model.train(training)
        for p in parameters:
            p.requires_grad_(wanted)

    def forward():
        with torch.no_grad():
            return model(x)

    def to_input():
        v = x.clone().requires_grad_()
        return torch.autograd.grad(loss(model(v)), v)

    def to_parameters():
        return torch.autograd.grad(loss(model(x)), parameters)

    def product():
        first = torch.autograd.grad(loss(model(x)), parameters, create_graph=True)
        return torch.autograd.grad(first, parameters, directions, allow_unused=True)

    def step():
        optimizer.zero_grad()
        loss(model(x)).backward()
        optimizer.step()

    normed = any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    out = {"forward": ((False, True), forward), "parameters": ((False, True), to_parameters), "hvp": ((False, True), product)}
    def integrated():
        """Integrated Gradients of the label's logit from zero, 50 midpoint steps: the path is the batch, 256 points at a time."""
        alphas = ((torch.arange(50) + 0.5) / 50).view(-1, *[1] * (x.dim() - 1))
        each = []
        for row, label in zip(x, y):
            each.append((row.unsqueeze(0) * alphas, label.expand(50)))
        parts, labels = torch.cat([p for p, _ in each]), torch.cat([l for _, l in each])
        sums = []
        for at in range(0, len(parts), 256):
            v = parts[at:at + 256].requires_grad_()
            z = model(v)
            f = z.gather(1, labels[at:at + 256, None]).sum() if classes else z.sum()
            sums.append(torch.autograd.grad(f, v)[0])
        return x * torch.cat(sums).view(n, 50, *x.shape[1:]).mean(1)

    if x.is_floating_point():
        out["input"] = ((False, False), to_input)
        out["integrated"] = ((False, False), integrated)
    if n > 1 or not normed:
        out["step"] = ((True, True), step)
    return out, mode


def norms(n, _):
    """Per-example gradient norms of lenet_mnist by functorch, where it is installed."""
    import functorch
    torch.manual_seed(0)
    model, x, y = LeNet().eval(), torch.rand(n, 1, 28, 28), torch.randint(0, 10, (n,))
    f, params, buffers = functorch.make_functional_with_buffers(model)
    one = functorch.grad(lambda p, a, b: F.cross_entropy(f(p, buffers, a[None]), b[None]))
    each = functorch.vmap(one, (None, 0, 0))
    return lambda: sum((g.flatten(1) ** 2).sum(1) for g in each(params, x, y)).sqrt()


def eigenvalues(n, products):
    """The cost of the power iteration of PyHessian: so many products against one graph that is kept."""
    torch.manual_seed(0)
    model, x, y = LeNet().eval(), torch.rand(n, 1, 28, 28), torch.randint(0, 10, (n,))
    parameters = list(model.parameters())

    def run():
        first = torch.autograd.grad(F.cross_entropy(model(x), y), parameters, create_graph=True)
        flat = torch.cat([g.reshape(-1) for g in first])
        v = torch.randn(flat.numel())
        for _ in range(products):
            v = v / (v.norm() + 1e-6)
            v = torch.cat([q.reshape(-1) for q in torch.autograd.grad(flat, parameters, v, retain_graph=True)])
    return run


def resident(key):
    """Megabytes of this process, from Linux."""
    with open("/proc/self/status") as f:
        return int(next(line for line in f if line.startswith(key)).split()[1]) / 1024


def main():
    torch.set_num_threads(int(sys.argv[1]))
    calls = {}
    mode = None
    for line in sys.stdin:
        ask = json.loads(line)
        answer = {}
        try:
            if ask["do"] == "open":
                calls, mode = tasks(ask["model"], ask["batch"]) if ask["model"] in MODELS else ({}, None)
                answer["kinds"] = list(calls)
            elif ask["do"] == "special":
                mode = None
                calls = {"special": (None, {"norms": norms, "eigenvalues": eigenvalues}[ask["what"]](ask["batch"], ask["products"]))}
                answer["kinds"] = list(calls)
            elif ask["do"] == "time":
                state, call = calls[ask["kind"]]
                if mode:
                    mode(*state)
                call()
                answer["ms"] = []
                for _ in range(ask["calls"]):
                    t = time.perf_counter()
                    call()
                    answer["ms"].append(1e3 * (time.perf_counter() - t))
            elif ask["do"] == "memory":
                with open("/proc/self/clear_refs", "w") as f:
                    f.write("5")
                before = resident("VmRSS")
                calls, mode = tasks(ask["model"], ask["batch"])
                state, call = calls["parameters"]
                mode(*state)
                for _ in range(10):
                    call()
                answer["mb"] = resident("VmHWM") - before
            elif ask["do"] == "version":
                answer["version"] = torch.__version__
        except Exception as error:  # what this build of PyTorch lacks is left out of the comparison
            answer["error"] = str(error)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
