"""The networks of `zoo.py`: a maker, inputs, and what else: axes of any length, other inputs of such lengths, exporters that cannot."""
import math

import torch
import torch.nn.functional as F
from torch import nn

MODELS = {}


def model(inputs, **more):
    """Adds what the class or function below makes."""

    def add(make):
        MODELS[make.__name__.lower()] = (make, inputs, more)
        return make

    return add


def of(*shapes):
    return lambda: [torch.randn(*shape) for shape in shapes]


class Fn(nn.Module):
    """A function of the inputs and of some weights."""

    def __init__(self, f, *shapes):
        super().__init__()
        self.f, self.count = f, len(shapes)
        for i, shape in enumerate(shapes):
            setattr(self, f"w{i}", nn.Parameter(torch.randn(*shape)))

    def forward(self, *xs):
        return self.f(*xs, *[getattr(self, f"w{i}") for i in range(self.count)])


def function(name, inputs, f, *shapes, **more):
    MODELS[name] = (lambda: Fn(f, *shapes), inputs, more)


def conv_norm(i, o, k=3, act=nn.ReLU, **more):
    return nn.Sequential(nn.Conv2d(i, o, k, padding=k // 2 * more.get("dilation", 1), bias=False, **more), nn.BatchNorm2d(o), act())


class Block(nn.Module):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.down = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o)) if stride > 1 or i != o else nn.Identity()

    def forward(self, x):
        return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + self.down(x))


@model(of((2, 3, 16, 16)), dynamic=[{0, 2, 3}], again=of((3, 3, 20, 18)))
class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 7, 2, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        self.layers = nn.Sequential(Block(6, 6), Block(6, 8, 2))
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.layers(self.stem(x))), 1))


@model(of((2, 4, 8, 8)))
class Bottleneck(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv_norm(4, 4, 1), conv_norm(4, 4, 3, groups=2)
        self.c = nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4))

    def forward(self, x):
        return torch.relu(self.c(self.b(self.a(x))) + x)


@model(of((2, 3, 12, 12)), dynamic=[{0}], again=of((1, 3, 12, 12)))
class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.expand, self.depth = conv_norm(3, 12, 1, nn.ReLU6), conv_norm(12, 12, 3, nn.ReLU6, groups=12)
        self.project = nn.Sequential(nn.Conv2d(12, 3, 1, bias=False), nn.BatchNorm2d(3))
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(3, 4))

    def forward(self, x):
        y = x + self.project(self.depth(self.expand(x)))
        return self.head(F.adaptive_avg_pool2d(y, (1, 1)).reshape(x.shape[0], -1))


class SE(nn.Module):
    def __init__(self, c, gate):
        super().__init__()
        self.reduce, self.expand, self.gate = nn.Conv2d(c, c // 2, 1), nn.Conv2d(c // 2, c, 1), gate

    def forward(self, x):
        return x * self.gate(self.expand(torch.relu(self.reduce(x.mean((2, 3), keepdim=True)))))


@model(of((2, 4, 9, 9)), dynamic=[{0}], again=of((3, 4, 9, 9)))
class MobileNetV3(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = conv_norm(4, 8, 1, nn.Hardswish)
        self.b, self.se = conv_norm(8, 8, 5, nn.Hardswish, groups=8, stride=2), SE(8, nn.Hardsigmoid())
        self.c = nn.Sequential(nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4, eps=1e-3, momentum=0.01))
        self.head = nn.Sequential(nn.Linear(4, 6), nn.Hardswish(inplace=True), nn.Linear(6, 3))

    def forward(self, x):
        return self.head(self.c(self.se(self.b(self.a(x)))).mean([2, 3]))


@model(of((1, 3, 8, 8)))
class EfficientNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.se = conv_norm(3, 6, 1, nn.SiLU), conv_norm(6, 6, 3, nn.SiLU, groups=6), SE(6, nn.Sigmoid())
        self.c = nn.Sequential(nn.Conv2d(6, 3, 1, bias=False), nn.BatchNorm2d(3))

    def forward(self, x):
        return x + self.c(self.se(self.b(self.a(x))))


@model(of((2, 2, 16, 16)), dynamic=[{0}], again=of((1, 2, 16, 16)))
class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1, self.d2, self.mid = conv_norm(2, 4), conv_norm(4, 6), conv_norm(6, 8)
        self.u2, self.u1 = nn.ConvTranspose2d(8, 6, 2, 2), nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.c2, self.c1, self.out = conv_norm(12, 6), conv_norm(8, 4), nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(F.max_pool2d(a, 2))
        c = self.c2(torch.cat([self.u2(self.mid(F.max_pool2d(b, 2))), b], 1))
        return self.out(self.c1(torch.cat([self.u1(c), a], dim=1)))


@model(of((1, 2, 13, 11)), dynamic=[{2, 3}], again=of((1, 2, 15, 9)))
class UNetBilinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv_norm(2, 4), conv_norm(4, 4), conv_norm(8, 2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, x):
        a = self.a(x)
        b = self.up(self.b(F.max_pool2d(a, 2)))
        dy, dx = a.size(2) - b.size(2), a.size(3) - b.size(3)
        return self.c(torch.cat([a, F.pad(b, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])], 1))


@model(of((1, 3, 9, 9)))
class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.pool = conv_norm(3, 2, 1), nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.b = nn.Sequential(nn.Conv2d(3, 2, (1, 7), padding=(0, 3)), nn.Conv2d(2, 3, (7, 1), padding=(3, 0)))
        self.c, self.d = conv_norm(3, 2, 5), conv_norm(3, 2, 1)

    def forward(self, x):
        y = torch.cat([self.a(x), self.b(x), self.c(x), self.d(self.pool(x))], 1)
        return F.max_pool2d(y, kernel_size=3, stride=2, ceil_mode=True)


@model(of((1, 3, 8, 8)))
class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(3 + 2 * i) for i in range(3)])
        self.convs = nn.ModuleList([nn.Conv2d(3 + 2 * i, 2, 3, padding=1) for i in range(3)])
        self.out = nn.Sequential(nn.BatchNorm2d(9), nn.ReLU(), nn.Conv2d(9, 4, 1), nn.AvgPool2d(2))

    def forward(self, x):
        for norm, conv in zip(self.norms, self.convs):
            x = torch.cat([x, conv(torch.relu(norm(x)))], 1)
        return self.out(x)


@model(of((2, 4, 6, 6)))
class ShuffleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.shuffle = conv_norm(2, 2), nn.ChannelShuffle(2)

    def forward(self, x):
        a, b = x.chunk(2, 1)
        y = torch.cat([a, self.a(b)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


@model(of((1, 4, 6, 6)))
class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.dw, self.norm = nn.Conv2d(4, 4, 7, padding=3, groups=4), nn.LayerNorm(4, eps=1e-6)
        self.a, self.b, self.gamma = nn.Linear(4, 16), nn.Linear(16, 4), nn.Parameter(torch.ones(4) * 1e-1)
        self.down = nn.Sequential(nn.GroupNorm(1, 4), nn.Conv2d(4, 6, 2, 2))

    def forward(self, x):
        y = self.norm(self.dw(x).permute(0, 2, 3, 1))
        y = self.gamma * self.b(F.gelu(self.a(y)))
        return self.down(x + y.permute(0, 3, 1, 2))


@model(of((2, 3, 8, 8)), dynamic=[{0}], again=of((3, 3, 8, 8)))
class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.cls = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 1, 8))
        self.pos = nn.Parameter(torch.randn(1, 5, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, F.gelu, batch_first=True, norm_first=True)
        self.encoder, self.norm, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos
        return self.head(self.norm(self.encoder(x))[:, 0])


@model(of((1, 4, 4, 6)))
class Swin(nn.Module):
    """[batch, height, width, channels], windows of 2, shifted by 1, with a mask and biases of relative positions."""

    def __init__(self):
        super().__init__()
        self.qkv, self.proj, self.norm = nn.Linear(6, 18), nn.Linear(6, 6), nn.LayerNorm(6)
        self.table = nn.Parameter(torch.randn(9, 2))
        c = torch.stack(torch.meshgrid(torch.arange(2), torch.arange(2), indexing="ij")).flatten(1)
        relative = (c[:, :, None] - c[:, None]).permute(1, 2, 0) + 1
        self.register_buffer("places", relative[..., 0] * 3 + relative[..., 1])
        image, count = torch.zeros(1, 4, 4, 1), 0
        for h in (slice(0, -2), slice(-2, -1), slice(-1, None)):
            for w in (slice(0, -2), slice(-2, -1), slice(-1, None)):
                image[:, h, w] = count
                count += 1
        w = self.windows(image).squeeze(-1)
        self.register_buffer("mask", torch.where(w[:, None] != w[:, :, None], -100.0, 0.0))

    @staticmethod
    def windows(x):
        b, h, w, c = x.shape
        return x.view(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)

    def forward(self, x):
        b, h, w, c = x.shape
        y = self.windows(torch.roll(self.norm(x), shifts=(-1, -1), dims=(1, 2)))
        q, k, v = self.qkv(y).reshape(-1, 4, 3, 2, 3).permute(2, 0, 3, 1, 4)
        bias = self.table[self.places.view(-1)].view(4, 4, 2).permute(2, 0, 1)
        scores = (q * 3**-0.5) @ k.transpose(-2, -1) + bias.unsqueeze(0)
        scores = scores.view(b, 4, 2, 4, 4) + self.mask.unsqueeze(1).unsqueeze(0)
        y = self.proj((scores.view(-1, 2, 4, 4).softmax(-1) @ v).transpose(1, 2).reshape(-1, 4, c))
        y = y.view(b, 2, 2, 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return x + torch.roll(y, (1, 1), (1, 2))


class CausalBlock(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(approximate="tanh"), nn.Linear(4 * d, d))

    def forward(self, x, past=None):
        b, t, d = x.shape
        q, k, v = self.qkv(self.ln1(x)).split(d, 2)
        q, k, v = [z.view(b, t, self.heads, d // self.heads).transpose(1, 2) for z in (q, k, v)]
        if past is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
            s = k.shape[2]
            mask = torch.ones(t, s, dtype=torch.bool).tril(diagonal=s - t)
            att = (q @ k.transpose(-2, -1)) / math.sqrt(d // self.heads)
            y = att.masked_fill(~mask, float("-inf")).softmax(-1) @ v
        x = x + self.out(y.transpose(1, 2).contiguous().view(b, t, d))
        return x + self.mlp(self.ln2(x)), k, v


def tokens(*shapes):
    return lambda: [torch.randint(0, 7, shape) for shape in shapes]


@model(tokens((2, 5)), dynamic=[{0, 1}], again=tokens((3, 4)))
class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(7, 8), nn.Embedding(9, 8)
        self.blocks, self.ln = nn.ModuleList([CausalBlock(8, 2) for _ in range(2)]), nn.LayerNorm(8)
        self.head = nn.Linear(8, 7, bias=False)

    def forward(self, x):
        h = self.wte(x) + self.wpe(torch.arange(x.shape[1], device=x.device))
        for block in self.blocks:
            h = block(h)[0]
        return self.head(self.ln(h))


def cached(t, s):
    return lambda: [torch.randint(0, 7, (2, t)), torch.randn(2, 2, s, 4), torch.randn(2, 2, s, 4)]


@model(cached(2, 3), dynamic=[{1}, {2}, {2}], again=cached(1, 5))
class GPTCache(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.block = nn.Embedding(7, 8), CausalBlock(8, 2)

    def forward(self, x, k, v):
        return self.block(self.wte(x), (k, v))


def masked():
    return [torch.randint(0, 7, (2, 4)), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]), torch.tensor([[0, 0, 1, 1]] * 2)]


@model(masked, dynamic=[{0}, {0}, {0}])
class BERT(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.types, self.places = nn.Embedding(7, 8), nn.Embedding(2, 8), nn.Embedding(6, 8)
        self.norm, self.q, self.k, self.v, self.o = nn.LayerNorm(8, eps=1e-12), *[nn.Linear(8, 8) for _ in range(4)]
        self.ff, self.pool = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)), nn.Linear(8, 8)
        self.register_buffer("position_ids", torch.arange(6).expand((1, -1)))

    def forward(self, x, mask, types):
        h = self.norm(self.words(x) + self.types(types) + self.places(self.position_ids[:, : x.size(1)]))
        extended = (1.0 - mask[:, None, None, :].to(h.dtype)) * torch.finfo(torch.float32).min
        q, k, v = [f(h).view(h.shape[0], -1, 2, 4).permute(0, 2, 1, 3) for f in (self.q, self.k, self.v)]
        p = F.softmax(q @ k.transpose(-1, -2) / math.sqrt(4) + extended, dim=-1)
        h = self.norm(h + self.o((p @ v).permute(0, 2, 1, 3).flatten(2)))
        h = self.norm(h + self.ff(h))
        return h, torch.tanh(self.pool(h[:, 0]))


@model(of((1, 6, 8)), dynamic=[{1}], again=of((1, 5, 8)))
class T5(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias, self.q, self.k, self.v = nn.Embedding(8, 2), *[nn.Linear(8, 8, bias=False) for _ in range(3)]
        self.weight = nn.Parameter(torch.ones(8))

    def buckets(self, t):
        relative = torch.arange(t)[None, :] - torch.arange(t)[:, None]
        buckets = (relative > 0).to(torch.long) * 4
        relative = relative.abs()
        large = 2 + (torch.log(relative.float() / 2) / math.log(9 / 2) * 2).to(torch.long)
        return buckets + torch.where(relative < 2, relative, torch.min(large, torch.full_like(large, 3)))

    def forward(self, x):
        h = self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))
        q, k, v = [f(h).view(x.shape[0], -1, 2, 4).transpose(1, 2) for f in (self.q, self.k, self.v)]
        scores = q @ k.transpose(3, 2) + self.bias(self.buckets(x.shape[1])).permute(2, 0, 1).unsqueeze(0)
        return x + (F.softmax(scores.float(), -1).type_as(scores) @ v).transpose(1, 2).reshape(x.shape)


class Recurrent(nn.Module):
    def __init__(self, kind, **more):
        super().__init__()
        self.rnn = kind(3, 4, **more)

    def forward(self, x, *state):
        return self.rnn(x, state if len(state) == 2 else state[0]) if state else self.rnn(x)


for kind in (nn.LSTM, nn.GRU, nn.RNN):
    states = 2 if kind is nn.LSTM else 1
    small = kind.__name__.lower()
    MODELS[small] = (lambda kind=kind: Recurrent(kind, num_layers=2, bidirectional=True), of((5, 2, 3), *[(4, 2, 4)] * states), {})
    MODELS[small + "_first"] = (
        lambda kind=kind: Recurrent(kind, batch_first=True),
        of((2, 5, 3)),
        dict(dynamic=[{0, 1}], again=of((3, 4, 3))),
    )
    cell = {nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell, nn.RNN: nn.RNNCell}[kind]
    MODELS[small + "_cell"] = (lambda cell=cell: Recurrent(cell), of((2, 3), *[(2, 4)] * states), {})
MODELS["rnn_relu"] = (lambda: Recurrent(nn.RNN, nonlinearity="relu", bias=False), of((5, 2, 3)), {})


@model(lambda: [torch.randint(0, 7, (2, 6))], dynamic=[{0, 1}], again=lambda: [torch.randint(0, 7, (1, 4))])
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(7, 3), nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True, dropout=0.1)
        self.out = nn.Linear(8, 5)

    def forward(self, x):
        y, (h, _) = self.rnn(self.embedding(x))
        return F.log_softmax(self.out(y), dim=-1), torch.cat([h[-2], h[-1]], -1)


@model(of((2, 2, 20)), dynamic=[{2}], again=of((2, 2, 17)))
class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gates = nn.ModuleList([nn.Conv1d(4, 8, 2, dilation=2**i) for i in range(3)])
        self.start, self.skips = nn.Conv1d(2, 4, 1), nn.ModuleList([nn.Conv1d(4, 4, 1) for _ in range(3)])
        self.end = nn.Conv1d(4, 5, 1)

    def forward(self, x):
        x, total = self.start(x), 0
        for i, (gate, skip) in enumerate(zip(self.gates, self.skips)):
            a, b = gate(F.pad(x, (2**i, 0))).chunk(2, dim=1)
            y = torch.tanh(a) * torch.sigmoid(b)
            total, x = total + skip(y), x + y
        return self.end(F.relu(total))


@model(of((2, 2, 12)))
class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.utils.weight_norm(nn.Conv1d(2, 3, 3, padding=4, dilation=2))
        self.down = nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 3, 1))

    def forward(self, x):
        return torch.relu(self.conv(x)[:, :, :-4].contiguous()) + self.down(x)


@model(of((2, 3, 9)), dynamic=[{2}], again=of((2, 3, 5)))
class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Sequential(nn.Conv1d(3, 6, 1), nn.BatchNorm1d(6), nn.ReLU())
        self.fc, self.mlp = nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9)), nn.Conv1d(3, 8, 1)

    def forward(self, x):
        t = self.fc(torch.max(self.t(x), 2, keepdim=True)[0].view(-1, 6))
        t = (t + torch.eye(3).flatten().view(1, 9).repeat(x.size(0), 1)).view(-1, 3, 3)
        y = self.mlp(torch.bmm(x.transpose(2, 1), t).transpose(2, 1))
        return torch.max(y, 2)[0]


@model(of((2, 1, 8, 8)))
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.mu, self.logvar = nn.Conv2d(1, 3, 3, 2, 1), nn.Linear(48, 4), nn.Linear(48, 4)
        self.fc, self.up = nn.Linear(4, 48), nn.ConvTranspose2d(3, 1, 3, 2, 1, output_padding=1)

    def forward(self, x):
        h = F.elu(self.conv(x)).flatten(1)
        mu, logvar = self.mu(h), self.logvar(h)
        y = torch.sigmoid(self.up(F.elu(self.fc(mu)).unflatten(1, (3, 4, 4))))
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
        return y, mu, logvar, kl


@model(of((2, 5)), dynamic=[{0}], again=of((3, 5)))
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.ConvTranspose2d(5, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.PixelShuffle(2),
            nn.Upsample(scale_factor=2), nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), nn.InstanceNorm2d(3, affine=True), nn.PReLU(3),
            nn.ConvTranspose2d(3, 1, 4, 2, 1), nn.Tanh(),
        )

    def forward(self, z):
        return self.net(z[:, :, None, None])


@model(of((2, 1, 8, 8)))
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 3, 4, 2, 1))
        self.b, self.down = nn.utils.spectral_norm(nn.Linear(12, 1)), nn.PixelUnshuffle(2)

    def forward(self, x):
        return self.b(F.leaky_relu(self.down(self.a(x)), 0.2).mean((2, 3)))


def rotate(x):
    a, b = x.chunk(2, -1)
    return torch.cat((-b, a), -1)


@model(lambda: [torch.randint(0, 7, (1, 4))], dynamic=[{0, 1}], again=lambda: [torch.randint(0, 7, (2, 6))])
class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm1, self.norm2 = nn.Embedding(7, 16), nn.RMSNorm(16, eps=1e-5), nn.RMSNorm(16, eps=1e-5)
        self.q, self.k, self.v, self.o = [nn.Linear(16, n, bias=False) for n in (16, 8, 8, 16)]
        self.gate, self.up, self.down = nn.Linear(16, 24, bias=False), nn.Linear(16, 24, bias=False), nn.Linear(24, 16, bias=False)
        self.register_buffer("inv_freq", 1.0 / (10000 ** (torch.arange(0, 4, 2).float() / 4)), persistent=False)

    def forward(self, tokens):
        x = self.embed(tokens)
        b, t, _ = x.shape
        angles = torch.arange(t, device=x.device).float()[:, None] * self.inv_freq[None]
        angles = torch.cat((angles, angles), -1)
        cos, sin = angles.cos()[None, None].to(x.dtype), angles.sin()[None, None].to(x.dtype)
        h = self.norm1(x)
        q, k, v = [f(h).view(b, t, -1, 4).transpose(1, 2) for f in (self.q, self.k, self.v)]
        q, k = q * cos + rotate(q) * sin, k * cos + rotate(k) * sin
        k, v = [z[:, :, None].expand(b, 2, 2, t, 4).reshape(b, 4, t, 4) for z in (k, v)]
        mask = torch.full((t, t), float("-inf"), device=x.device).triu(1).to(x.dtype)
        x = x + self.o(F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(b, t, -1))
        h = self.norm2(x)
        return (x + self.down(F.silu(self.gate(h)) * self.up(h))) @ self.embed.weight.T


@model(of((1, 6, 4)))
class Conformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.a, self.bn = nn.LayerNorm(4), nn.Conv1d(4, 8, 1), nn.BatchNorm1d(4)
        self.dw, self.b = nn.Conv1d(4, 4, 3, padding=1, groups=4), nn.Conv1d(4, 4, 1)
        self.pos, self.q = nn.Parameter(torch.randn(2, 11, 2)), nn.Linear(4, 4)

    def shift(self, x):
        b, h, t, n = x.shape
        x = torch.cat([torch.zeros(b, h, t, 1, dtype=x.dtype), x], -1).view(b, h, n + 1, t)
        return x[:, :, 1:].view(b, h, t, n)[..., :t]

    def forward(self, x):
        q = self.q(x).view(1, 6, 2, 2).transpose(1, 2)
        scores = self.shift(torch.matmul(q, self.pos.transpose(1, 2).unsqueeze(0)))
        y = self.b(F.silu(self.bn(self.dw(F.glu(self.a(self.norm(x).transpose(1, 2)), dim=1)))))
        return x + 0.5 * y.transpose(1, 2), scores.softmax(-1)


@model(of((2, 5, 4)))
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Transformer(4, 2, 1, 1, 8, 0.0, batch_first=True)
        self.tgt = nn.Parameter(torch.randn(1, 3, 4))

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(3, dtype=x.dtype)
        return self.t(x, self.tgt.expand(x.shape[0], -1, -1), tgt_mask=mask)


@model(lambda: [torch.randn(4, 2, 6), torch.tensor([[False, False, False, True], [False, True, False, False]])])
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mha = nn.MultiheadAttention(6, 3)

    def forward(self, x, mask):
        return self.mha(x, x, x, key_padding_mask=mask)


@model(lambda: [torch.randint(0, 7, (3, 4))], **{"not": ("dynamo",)})
class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean, self.sum = nn.EmbeddingBag(7, 3, mode="mean"), nn.EmbeddingBag(7, 3, mode="sum")

    def forward(self, x):
        return self.mean(x), self.sum(x)


@model(lambda: [torch.randn(5, 3), torch.tensor([[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 0, 2]])], dynamic=[{0}, {1}])
class GraphConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 4)

    def forward(self, x, edges):
        h = self.a(x)
        y = torch.zeros_like(h).index_add(0, edges[1], h[edges[0]])
        degree = torch.zeros(x.shape[0], dtype=x.dtype).scatter_add(0, edges[1], torch.ones(edges.shape[1], dtype=x.dtype))
        return y / degree.clamp(min=1).unsqueeze(-1)


@model(of((6, 4)))
class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.w1, self.w2 = nn.Linear(4, 3), nn.Parameter(torch.randn(3, 4, 5)), nn.Parameter(torch.randn(3, 5, 4))

    def forward(self, x):
        p, i = torch.topk(self.gate(x).softmax(-1), 2, dim=-1)
        p = torch.zeros(x.shape[0], 3, dtype=x.dtype).scatter(1, i, p / p.sum(-1, keepdim=True))
        return torch.einsum("te,eto->to", p, torch.relu(torch.einsum("ti,eih->eth", x, self.w1)) @ self.w2)


@model(of((2, 3, 8, 8)))
class STN(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 6)

    def forward(self, x):
        theta = self.fc(x.mean((2, 3))).view(-1, 2, 3)
        return F.grid_sample(x, F.affine_grid(theta, x.size(), align_corners=False), align_corners=False, padding_mode="border")


@model(of((1, 2, 8, 8)))
class SegNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x):
        y, i = F.max_pool2d(self.a(x), 2, return_indices=True)
        return self.b(F.max_unpool2d(y, i, 2))


@model(of((1, 3, 4, 6)))
class YOLO(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Conv2d(3, 2 * 7, 1)
        self.register_buffer("anchors", torch.tensor([[1.0, 2.0], [3.0, 1.5]]))

    def forward(self, x):
        b, _, h, w = x.shape
        y = self.out(x).view(b, 2, 7, h, w).permute(0, 1, 3, 4, 2)
        gy, gx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        xy = (y[..., :2].sigmoid() + torch.stack([gx, gy], -1).to(x.dtype)) * 8
        wh = y[..., 2:4].exp() * self.anchors.view(1, 2, 1, 1, 2)
        return torch.cat([xy - wh / 2, xy + wh / 2, y[..., 4:].sigmoid()], -1).view(b, -1, 7)


@model(of((2, 5, 3)))
class Mamba(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.d, self.bc = nn.Parameter(torch.rand(3, 2)), nn.Linear(3, 3), nn.Linear(3, 4)

    def forward(self, x):
        delta, (b, c) = F.softplus(self.d(x)), self.bc(x).split([2, 2], -1)
        da = torch.exp(torch.einsum("bld,dn->bldn", delta, -torch.exp(self.a)))
        u = torch.einsum("bld,bln,bld->bldn", delta, b, x)
        h, ys = torch.zeros(x.shape[0], 3, 2, dtype=x.dtype), []
        for t in range(5):
            h = da[:, t] * h + u[:, t]
            ys.append(torch.einsum("bdn,bn->bd", h, c[:, t]))
        return torch.stack(ys, 1)


@model(of((3, 4), (5, 4)))
class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(4, 6), nn.SELU(), nn.Linear(6, 3), nn.Mish())

    def forward(self, a, b):
        a, b = F.normalize(self.f(a)), F.normalize(self.f(b), p=2, dim=-1)
        return torch.cdist(a, b), F.cosine_similarity(a[:, None], b[None], dim=-1), F.pairwise_distance(a, b[:3])


@model(of((4, 2)))
class NeRF(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("f", 2.0 ** torch.arange(4))
        self.a, self.b = nn.Linear(16, 6), nn.Bilinear(6, 2, 3)

    def forward(self, x):
        y = (x[..., None] * self.f).flatten(1)
        return self.b(F.softplus(self.a(torch.cat([y.sin(), y.cos()], -1)), beta=2), x)


@model(lambda: [torch.randint(0, 5, (3, 2)), torch.randn(3, 2)])
class DeepFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.w, self.fc = nn.Embedding(10, 3), nn.Embedding(10, 1), nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 1))
        self.register_buffer("offset", torch.tensor([0, 5]))

    def forward(self, x, dense):
        x = x + self.offset
        e = self.e(x)
        fm = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
        return torch.sigmoid(self.w(x).sum(1) + fm + self.fc(torch.cat([e.flatten(1), dense], 1))).squeeze(1)


@model(of((2, 4, 3)))
class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.a, self.b = nn.LayerNorm([4, 3], elementwise_affine=True), nn.Linear(4, 4), nn.Linear(3, 3)

    def forward(self, x):
        x = x + self.a(self.norm(x).mT).mT
        return x + F.gelu(self.b(x))


class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(5, 3)

    def forward(self, x):
        h = torch.zeros(x.size(1), 3, dtype=x.dtype)
        for t in range(x.size(0)):
            h = torch.tanh(self.cell(torch.cat([x[t], h], 1)))
        if bool(h.sum() > 100):
            h = h * 2
        return h


MODELS["scripted"] = (lambda: torch.jit.script(Scripted()), of((4, 2, 2)), {"not": ("dynamo",), "dynamic": [{0}], "again": of((6, 2, 2))})


@model(of((2, 3)), **{"not": ("script",)})
class Cond(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: self.a(x), lambda x: self.b(x).tanh(), (x,))


# Functions of few lines: pooling, borders, resampling, arranging, reductions, activations, losses.
image = of((2, 3, 9, 10))
function("conv_same", image, lambda x, w: F.conv2d(x, w, padding="same", dilation=2), (4, 3, 3, 3))
function("conv_same_even", image, lambda x, w: F.conv2d(x, w, padding="same"), (4, 3, 4, 2))
function("conv3d", of((1, 2, 4, 5, 6)), lambda x, w, b: F.avg_pool3d(F.conv3d(x, w, b, stride=(1, 2, 1)), 2), (3, 2, 2, 3, 3), (3,))
function("conv_transpose", of((2, 4, 5)), lambda x, w: F.conv_transpose1d(x, w, stride=3, padding=1, output_padding=1, groups=2, dilation=2), (4, 3, 3))
function("conv_transpose3d", of((1, 2, 3, 3, 3)), lambda x, w: F.conv_transpose3d(x, w, stride=2), (2, 3, 2, 2, 2))
for mode in ("reflect", "replicate", "circular"):
    function("pad_" + mode, image, lambda x, mode=mode: F.pad(x, (1, 2, 2, 1), mode=mode))
function("pad_value", image, lambda x: F.pad(x, (1, -2, 0, 3, 1, 1), value=1.5))
function("pools", image, lambda x: (F.adaptive_avg_pool2d(x, (3, 5)), F.adaptive_max_pool2d(x, (3, 5)), F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), F.lp_pool2d(x.abs(), 2, 3)))
function("pools2", image, lambda x: (F.max_pool2d(x, 3, 2, 1, dilation=2, ceil_mode=True), F.avg_pool2d(x, (2, 3), divisor_override=5), F.avg_pool2d(x, (2, 3))))
function("pool1d", of((2, 3, 11)), lambda x: (F.max_pool1d(x, 3, 2, 1), F.avg_pool1d(x, 4, 3, 2), F.adaptive_max_pool1d(x, 1)))
for mode, corners in (("nearest", None), ("nearest-exact", None), ("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True), ("area", None)):
    name = f"resize_{mode.replace('-', '_')}" + ("_corners" if corners else "")
    function(name, image, lambda x, mode=mode, corners=corners: (F.interpolate(x, size=(13, 7), mode=mode, align_corners=corners), F.interpolate(x, scale_factor=(2.0, 0.5), mode=mode, align_corners=corners)))
function("resize_antialias", image, lambda x: F.interpolate(x, size=(5, 4), mode="bilinear", antialias=True))
function("resize_3d", of((1, 2, 3, 4, 3)), lambda x: F.interpolate(x, size=(5, 4, 6), mode="trilinear"))
function("unfold", image, lambda x: F.unfold(x, 3, padding=1, stride=2))
function("fold", of((2, 12, 20)), lambda x: F.fold(x, (5, 6), 2))
function("tensor_unfold", of((2, 9)), lambda x: x.unfold(1, 3, 2))
function("norms", image, lambda x, a, b: (F.group_norm(x, 3, a, b), F.instance_norm(x), F.local_response_norm(x, 2), F.layer_norm(x, (9, 10)), F.batch_norm(x, None, None, a, b, training=True)), (3,), (3,))
function("roll", image, lambda x: (torch.roll(x, 2, 1), torch.roll(x, (1, -3), (2, 3)), torch.roll(x, -1, -1)))
function("arrange", of((2, 3, 4)), lambda x: (x.flip(1, 2), x.tile(2, 1, 2), x.repeat_interleave(2, 1), x.movedim(0, 2), x.rot90(1, (1, 2)), x.narrow(2, 1, 2), x.unbind(1)[1], x.expand(5, 2, 3, 4)))
function("joined", of((4, 5)), lambda x, w: (torch.hstack([x, x]), torch.vstack([x, w]), torch.dstack([x, x]), torch.column_stack([x, x[:, 0]]), torch.atleast_3d(x)), (4, 5))
function("parts", of((2, 7, 4)), lambda x: (*x.split(3, 1), *x.chunk(2, 2), *x.tensor_split(3, 1), *torch.split(x, [1, 2, 4], 1)))
function("indexing", of((4, 5, 6)), lambda x: (x[1], x[:, -1], x[..., 1::2], x[[0, 2]], x[:, [3, 1], :], x[torch.tensor([0, 3]), torch.tensor([1, 1])], x[x.new_tensor([1, 0, 1, 0]) > 0.5], x[None, :, 2:4]))
function("gather", of((3, 4)), lambda x: (x.gather(1, torch.tensor([[0, 1], [3, 2], [1, 1]])), x.take_along_dim(torch.tensor([[1], [0], [3]]), 1), x.index_select(0, torch.tensor([2, 0])), x.take(torch.tensor([1, 11]))))


def writes(x, w):
    y = x.clone()
    y[:, 1] = w[:, 0] * 2
    y[0, ::2] = 3.0
    z = x.index_put((torch.tensor([0, 2]), torch.tensor([1, 1])), w[:2, 0])
    z2 = x.index_put((torch.tensor([0, 0]),), w[:2], accumulate=True)
    return y, z, z2, x.scatter(1, torch.tensor([[0], [1], [3]]), w[:, :1]), x.scatter_add(1, torch.tensor([[0, 0], [1, 1], [3, 2]]), w[:, :2]), x.index_copy(0, torch.tensor([1]), w[:1]), x.index_fill(1, torch.tensor([2]), 0.5), x.masked_scatter(x > 100, w)


function("writes", of((3, 4)), writes, (3, 4))
function("scatter_reduce", of((3, 4)), lambda x, w: (x.scatter_reduce(0, torch.tensor([[0, 0, 1, 1], [0, 2, 1, 1]]), w, "amax"), x.scatter_reduce(0, torch.tensor([[0, 0, 1, 1], [0, 2, 1, 1]]), w, "prod"), x.scatter_reduce(0, torch.tensor([[0, 0, 1, 1], [0, 2, 1, 1]]), w, "mean")), (2, 4))
function("triangles", of((4, 5)), lambda x: (x.tril(), x.triu(-1), torch.diagonal(x), torch.diag_embed(x), x[:, :4].trace()))
function("order", of((3, 6)), lambda x: (*torch.topk(x, 3), *torch.topk(x, 2, 0, largest=False), *torch.sort(x, descending=True), x.argsort(), *x.kthvalue(2), x.median(), *x.median(1), *x.max(1), x.argmin(0), *x.mode(1)))
function("sorted", of((3, 6)), lambda x: (*torch.topk(x, 3), *torch.sort(x, descending=True), x.argsort(), *x.max(1), x.argmin(0)))
function("cumulative", of((3, 6)), lambda x: (x.cumsum(1), x.cumprod(0), x.logcumsumexp(1), *x.cummax(1)))
function("cumsum", of((3, 6)), lambda x: (x.cumsum(1), x.flip(1).cumsum(1).flip(1), x.diff(dim=1)))
function("reductions", of((3, 4, 5)), lambda x: (x.sum((0, 2)), x.mean(), x.prod(1), x.amax((1, 2)), x.amin(0), x.norm(), x.norm(1, 2), x.var(1), x.std((0, 1), unbiased=False), x.logsumexp((1, 2)), torch.var_mean(x, 2)[1], x.abs().max(), (x > 0).any(1), (x > 0).all(), x.aminmax(dim=1)[0], x.count_nonzero(1), x.square().sum(-1).sqrt()))
function("norms_of", of((3, 4)), lambda x: (torch.linalg.norm(x), torch.linalg.vector_norm(x, 3, 1), torch.linalg.vector_norm(x, float("inf"), 0), x.renorm(2, 0, 1.0)))
function("elementwise", of((3, 4)), lambda x: (x.abs().sqrt(), x.exp(), x.abs().log(), x.abs().log2(), x.abs().log1p(), x.expm1(), x.sin(), x.cos(), x.tan(), x.sigmoid().asin(), x.sigmoid().acos(), x.atan(), x.sinh(), x.cosh(), x.asinh(), x.sigmoid().atanh(), x.erf(), x.sign(), x.floor(), x.ceil(), x.round(), x.trunc(), x.frac(), x.reciprocal(), x.rsqrt().nan_to_num(0.0), x.sigmoid().logit(), x.clamp(-0.5, 0.5), x.clamp_min(0.1), x.abs() ** 1.5, x**3, 2**x, x.abs().log10(), torch.exp2(x), x.deg2rad(), x.sinc(), x.hypot(x + 1)))
function("erfs", of((3, 4)), lambda x: (x.erfc(), torch.special.expit(x), torch.special.log_ndtr(x), x.abs().add(1).lgamma(), x.xlogy(x.abs())))
function("pairs", of((3, 4), (3, 4)), lambda x, y: (x + y, x - 2 * y, x * y, x / (y.abs() + 1), torch.maximum(x, y), torch.minimum(x, y), torch.fmod(x, y.abs() + 1), torch.remainder(x, y.abs() + 1), torch.atan2(x, y), torch.where(x > y, x, y), x.lerp(y, 0.3), torch.addcmul(x, x, y, value=0.5), torch.addcdiv(x, x, y.abs() + 1), x.floor_divide(y.abs() + 1), x.dist(y), torch.logaddexp(x, y), torch.clamp(x, y - 1, y + 1), torch.copysign(x, y), x.heaviside(y)))
function("compare", of((3, 4), (3, 4)), lambda x, y: (x > y, x <= y, x == x, (x > 0) & (y > 0), (x > 0) | (y > 0), (x > 0) ^ (y > 0), ~(x > 0), x.isnan(), x.isinf(), x.isfinite(), torch.logical_and(x, y), x.isclose(y), x.eq(y).any()))
ACTIVATIONS = "relu relu6 elu selu celu gelu silu mish softplus softsign logsigmoid hardtanh hardswish hardsigmoid hardshrink softshrink tanhshrink leaky_relu rrelu tanh sigmoid threshold glu softmin".split()
function("activations", of((3, 4)), lambda x: tuple(getattr(F, name)(x, *([0.2, -1.0] if name == "threshold" else []), **(dict(dim=1) if name in ("glu", "softmin") else {})) for name in ACTIVATIONS))
function("softmaxes", of((2, 3, 4, 5)), lambda x: (x.softmax(1), x.log_softmax(2), F.softmax(x, 3), F.log_softmax(x, 0), F.gumbel_softmax(x * 0, dim=1).sum(1), F.softmax(x, dim=1).argmax(1)))
function("prelu", of((2, 3, 4)), lambda x, a, b: (F.prelu(x, a), F.prelu(x, b)), (3,), (1,))
function("products", of((2, 3, 4)), lambda x, w, v: (x @ w, torch.matmul(x, v), F.linear(x, w.T), torch.bmm(x, x.mT), torch.baddbmm(x @ x.mT, x, x.mT), torch.addmm(x[0] @ w, x[0], w), torch.tensordot(x, x, ([0, 2], [0, 2])), torch.outer(v, v), torch.dot(v, v), torch.mv(w.T, v), torch.kron(x[0], w), torch.linalg.multi_dot([x[0], w, w.T]), torch.chain_matmul(x[0], w)), (4, 5), (4,))
function("einsums", of((2, 3, 4)), lambda x, w: (torch.einsum("bij,jk->bik", x, w), torch.einsum("bij,bij->b", x, x), torch.einsum("bij->ji", x), torch.einsum("...j,jk", x, w), torch.einsum("ii->i", w[:, :4]), torch.einsum("bij,bkj->bik", x, x)), (4, 5))
function("embeddings", tokens((2, 3)), lambda x, w: (F.embedding(x, w), F.one_hot(x, 7), F.embedding(x, w.sin()).mean(1)), (7, 4))
function("losses", lambda: [torch.randn(4, 3), torch.tensor([0, 2, 1, 2])], lambda x, t: (F.cross_entropy(x, t), F.nll_loss(x.log_softmax(1), t, reduction="none"), F.cross_entropy(x, t, label_smoothing=0.1), F.cross_entropy(x, t, ignore_index=2, reduction="sum"), F.mse_loss(x, x * 2), F.smooth_l1_loss(x, x * 3), F.huber_loss(x, x * 3), F.l1_loss(x, -x), F.binary_cross_entropy(x.sigmoid(), x.softmax(1)), F.binary_cross_entropy_with_logits(x, x.softmax(1)), F.kl_div(x.log_softmax(1), x.softmax(0), reduction="batchmean"), F.hinge_embedding_loss(x, x.sign()), F.margin_ranking_loss(x, -x, x.sign()), F.triplet_margin_loss(x, x * 2, -x), F.cosine_embedding_loss(x, x + 1, torch.ones(4, dtype=x.dtype)), F.poisson_nll_loss(x, x.abs()), F.gaussian_nll_loss(x, x * 2, x.exp())))
function("attend", of((2, 2, 4, 3), (2, 2, 5, 3), (2, 2, 5, 3)), lambda q, k, v: (F.scaled_dot_product_attention(q, k, v), F.scaled_dot_product_attention(q, k, v, attn_mask=torch.ones(4, 5, dtype=torch.bool).tril(1)), F.scaled_dot_product_attention(q, k, v, scale=0.3)))
function("grouped", of((2, 4, 3, 4), (2, 2, 3, 4)), lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True), **{"not": ("script",)})
function("fft", of((2, 8)), lambda x: (torch.fft.rfft(x).abs(), torch.fft.irfft(torch.fft.rfft(x)), torch.view_as_real(torch.fft.fft(x.to(torch.complex64 if x.dtype == torch.float32 else torch.complex128)))))
function("rfft", of((2, 8)), lambda x: torch.view_as_real(torch.fft.rfft(x)))
function("stft", of((2, 64)), lambda x: torch.view_as_real(torch.stft(x, 16, 8, window=torch.hann_window(16).to(x.dtype), return_complex=True)))
function("grids", of((1, 2, 5, 6), (1, 3, 4, 2)), lambda x, g: (F.grid_sample(x, g.tanh(), align_corners=True), F.grid_sample(x, g, mode="nearest", align_corners=False), F.grid_sample(x, g, mode="bicubic", padding_mode="reflection", align_corners=False)))
function("creation", of((2, 3)), lambda x: (torch.zeros_like(x) + 1, torch.full((2, 3), 2.5) + x, torch.arange(3) * x, torch.linspace(0, 1, 3) + x, torch.eye(3) + x[:1].T, torch.ones(x.shape[0], 1) * x, x.new_zeros(2, 3) + x, torch.tril_indices(3, 3).float()), dynamic=[{0}])
function("casts", of((2, 3)), lambda x: (x.int() + 1, (x > 0).float() * x, x.long().float(), x.bool(), x.to(torch.float64).sum(), x.type_as(x), (x * 10).to(torch.int8).to(torch.int32), x.int() // 2, x.int() % 3))
function("shapes", of((2, 3, 4)), lambda x: (x.view(x.shape[0], -1), x.reshape(-1, x.size(1)), x.flatten(1).unflatten(1, (3, 4)), x.squeeze().unsqueeze(-1), x.view(2, -1, 2), x.sum() * x.numel(), x.view(-1, x.shape[-1] // 2)), dynamic=[{0, 1}], again=of((2, 3, 4)))
function("searches", of((3, 6)), lambda x: (torch.searchsorted(torch.tensor([-1.0, 0.0, 1.0]).to(x.dtype), x), torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0]).to(x.dtype)), torch.nonzero(x > 0), x[x > 0], torch.unique((x * 2).int())))
function("linalg", lambda: [torch.randn(2, 3, 3) + 3 * torch.eye(3)], lambda x: (torch.linalg.inv(x), torch.linalg.det(x), torch.linalg.cross(x[0], x[1])))
function("det", lambda: [torch.randn(2, 3, 3)], lambda x: (torch.det(x), torch.cross(x[0], x[1], dim=1)))
