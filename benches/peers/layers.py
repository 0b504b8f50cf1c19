"""Layers in the sizes of a small model in PyTorch: forward, and the gradients of their parameters, as the workloads of the same
names measure them (`compare gru_layer --threads 2` and so on). Prints a line of JSON for each.

python layers.py --threads 2
"""

import argparse
import json
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("names", nargs="*")
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


class First(nn.Module):
    """The first of a module's outputs."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[0]


def layer_norm():
    return nn.LayerNorm(1024), torch.randn(4096, 1024, requires_grad=True)


WORKLOADS = {
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
    "layer_norm": layer_norm,
}

for name in arguments.names or WORKLOADS:
    model, x = WORKLOADS[name]()
    cotangent = torch.randn_like(model(x))
    times = []
    start = time.perf_counter()
    while len(times) < 20 or (time.perf_counter() - start < 3 and len(times) < 2000):
        begin = time.perf_counter()
        model.zero_grad()
        x.grad = None
        (model(x) * cotangent).sum().backward()
        times.append(time.perf_counter() - begin)
    times = sorted(times[3:])
    print(json.dumps({"workload": name, "threads": arguments.threads, "median_ms": 1e3 * times[len(times) // 2], "min_ms": 1e3 * times[0]}))
