"""Workloads of `compare` in PyTorch: python torch_models.py NAME [--threads T] [--mode compile]; one line of JSON."""

import functools
import os

from harness import arguments, race

LAYERS = ("gru_layer", "lstm_layer", "encoder_layer", "batch_norm", "embedding")
TRAINED = ("bert_layer", "lstm", "resnet_block", "conv1d", "gpt_small")
FACTORED = [f"{kind}_{side}" for kind in ("svd", "eigh", "qr", "lu", "cholesky") for side in (256, 512)]
args = arguments([*LAYERS, *TRAINED, "infer_image", "infer_token", *FACTORED], ["eager", "compile"])
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from gpt import Gpt, turned  # noqa: E402

torch.set_num_threads(args.threads)
torch.manual_seed(0)
COMPILED = args.mode == "compile"


def compiled(function):
    torch._dynamo.reset()
    return torch.compile(function, dynamic=False) if COMPILED else function


class First(nn.Module):
    """The first of a module's outputs."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[0]


class LastState(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(128, 128, 2), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.lstm(x)[0][-1])


class BertLayer(nn.Module):
    """The post-norm layer by hand, around the fused attention."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(384, 3 * 384), nn.Linear(384, 384)
        self.linear1, self.linear2 = nn.Linear(384, 1536), nn.Linear(1536, 384)
        self.norm1, self.norm2 = nn.LayerNorm(384), nn.LayerNorm(384)

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, 12, 32).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, 384)
        x = self.norm1(x + self.out(y))
        return self.norm2(x + self.linear2(F.gelu(self.linear1(x))))


class ResidualBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(64, 64, 3, padding=1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = nn.BatchNorm2d(64), nn.BatchNorm2d(64)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(x + y)


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(32, 64, 5, padding=2), nn.Conv1d(64, 64, 5, padding=2)
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        return self.out(F.relu(self.conv2(F.relu(self.conv1(x)))).mean(-1))


def layer(model, x):
    """A layer's output times fixed numbers, summed up, and the gradients of the parameters of that."""
    cotangent = torch.randn_like(model(x))
    loss = compiled(lambda x: (model(x) * cotangent).sum())

    def step():
        model.zero_grad()
        loss(x).backward()

    return step


def training(make, x, loss_of, kind):
    model = make()
    loss_fn = compiled(lambda x: loss_of(model(x)))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, **{kind: True})

    def step():
        adam.zero_grad(set_to_none=True)
        loss = loss_fn(x)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def trainings(make, x, loss_of):
    kinds = ["fused"] if COMPILED else ["fused", "foreach"]
    return {kind: functools.partial(training, make, x, loss_of, kind) for kind in kinds}


def encoder():
    return nn.TransformerEncoderLayer(384, 12, 1536, dropout=0.0, activation="gelu", batch_first=True)


def channels_last(make):
    return make().to(memory_format=torch.channels_last)


def named(prefix, variants):
    return {f"{prefix}-{name}": build for name, build in variants.items()}


def next_character(model, new, length=64):
    """Scores behind one new character, with the keys and values of `length` earlier ones in memory."""
    caches = [torch.zeros(2, 1, 4, length + 1, 32) for _ in model.blocks]

    def scores(new):
        x = model.characters(new)
        at = slice(length, length + 1)
        for block, cache in zip(model.blocks, caches):
            a = block.self_attn
            projected = F.linear(block.norm1(x), a.in_proj_weight, a.in_proj_bias)
            q, k, v = (t.view(1, 1, 4, 32).transpose(1, 2) for t in projected.chunk(3, -1))
            q, k = (turned(t, model.cos[at], model.sin[at]) for t in (q, k))
            cache[0, :, :, length], cache[1, :, :, length] = k[:, :, 0], v[:, :, 0]
            y = F.scaled_dot_product_attention(q, cache[0], cache[1])
            x = x + a.out_proj(y.transpose(1, 2).reshape(1, 1, 128))
            x = x + block.linear2(F.gelu(block.linear1(block.norm2(x))))
        return model.out(model.norm(x[:, -1]))

    return inference(scores, new)


def inference(function, x):
    function = compiled(function)

    @torch.inference_mode()
    def step():
        return function(x)

    return step


def variants(name):
    if name in LAYERS:
        model, x = {
            "gru_layer": lambda: (First(nn.GRU(28, 128)), torch.randn(28, 64, 28)),
            "lstm_layer": lambda: (First(nn.LSTM(100, 128, 2)), torch.randn(100, 64, 100)),
            "encoder_layer": lambda: (
                nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True),
                torch.randn(16, 64, 128),
            ),
            "batch_norm": lambda: (
                nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)),
                torch.randn(32, 64, 28, 28),
            ),
            "embedding": lambda: (nn.Embedding(10_000, 256), torch.randint(0, 10_000, (64, 128))),
        }[name]()
        return {"layer": lambda: layer(model, x)}
    if name == "bert_layer":
        x, target = torch.randn(8, 128, 384), torch.randn(8, 128, 384)
        loss = functools.partial(F.mse_loss, target=target)
        return named("nn", trainings(encoder, x, loss)) | named("hand", trainings(BertLayer, x, loss))
    if name == "resnet_block":
        x, target = torch.randn(32, 64, 28, 28), torch.randn(32, 64, 28, 28)
        last = [t.contiguous(memory_format=torch.channels_last) for t in (x, target)]
        return named("nchw", trainings(ResidualBlock, x, functools.partial(F.mse_loss, target=target))) | named(
            "nhwc", trainings(lambda: channels_last(ResidualBlock), last[0], functools.partial(F.mse_loss, target=last[1]))
        )
    if name == "gpt_small":
        text, following = torch.randint(0, 96, (2, 16, 128))
        loss = lambda scores: F.cross_entropy(scores.flatten(0, 1), following.flatten())  # noqa: E731
        return trainings(lambda: Gpt(96, 128, 4, 128, dropout=0.0), text, loss)
    if name in ("lstm", "conv1d"):
        make, x = (LastState, torch.randn(100, 64, 128)) if name == "lstm" else (Sequences, torch.randn(32, 32, 512))
        labels = torch.randint(0, 10, (len(x) if name == "conv1d" else 64,))
        return trainings(make, x, lambda scores: F.cross_entropy(scores, labels))
    if name == "infer_image":
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        return {"module": lambda: inference(model, torch.randn(1, 784))}
    if name == "infer_token":
        model = Gpt(96, 128, 4, 128, dropout=0.0).eval()
        return {"cache": lambda: next_character(model, torch.tensor([[7]]))}
    kind, side = name.split("_")
    a = torch.randn(int(side), int(side))
    a = a @ a.T / int(side) + torch.eye(int(side)) if kind == "cholesky" else a
    factors = {
        "svd": lambda a: torch.linalg.svd(a, full_matrices=False),
        "eigh": torch.linalg.eigh,
        "qr": torch.linalg.qr,
        "lu": torch.linalg.lu,
        "cholesky": torch.linalg.cholesky,
    }
    return {"linalg": lambda: inference(factors[kind], a)}


peer = f"torch-{torch.__version__.split('+')[0]}-{args.mode}"
race(args, peer, variants(args.workload), 500 if args.workload in TRAINED else 1 << 20)
