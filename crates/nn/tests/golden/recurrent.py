"""Recurrent layers and cells as PyTorch computes them, in double precision: outputs, states at the end, and the gradients of
a weighted sum of both with respect to the input, the initial states and the parameters.

Run in this folder: python recurrent.py > recurrent.json (also writes recurrent.safetensors).
"""

import json
import random
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from files import save

torch.set_default_dtype(torch.float64)


def wave(count, salt):
    """Numbers that the test makes in the same way."""
    return torch.sin(1.7 * torch.arange(count) + salt)


def filled(shape, salt, scale=1.0):
    return (scale * wave(torch.Size(shape).numel(), salt)).reshape(shape)


def numbers(t):
    return [float(f"{x:.13g}") for x in t.detach().reshape(-1).tolist()]


def layer(s, index):
    kind = {"rnn": nn.RNN, "relu": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[s["kind"]]
    options = {"nonlinearity": "relu"} if s["kind"] == "relu" else {}
    if s["projection"]:
        options["proj_size"] = s["projection"]
    model = kind(
        s["input"], s["hidden"], num_layers=s["layers"], bias=s["bias"], batch_first=s["batch_first"],
        bidirectional=s["bidirectional"], **options,
    )
    for i, p in enumerate(model.parameters()):
        p.data = filled(p.shape, 0.1 * index + i, 0.8)
    return model


def evaluate(s, index, model):
    steps, batch = s["steps"], s["batch"]
    shape = [steps, s["input"]] if s["alone"] else [steps, batch, s["input"]]
    if s["batch_first"] and not s["alone"]:
        shape[:2] = [batch, steps]
    x = filled(shape, 0.3 + index).requires_grad_(True)
    rows = s["layers"] * (2 if s["bidirectional"] else 1)
    widths = [s["projection"] or s["hidden"]] + ([s["hidden"]] if s["kind"] == "lstm" else [])
    lead = [rows] if s["alone"] else [rows, batch]
    states = [filled(lead + [w], 2.0 + k + index).requires_grad_(True) for k, w in enumerate(widths)]
    given = None
    if s["state"]:
        given = tuple(states) if s["kind"] == "lstm" else states[0]
    if s["lengths"]:
        packed = pack_padded_sequence(x, s["lengths"], batch_first=s["batch_first"], enforce_sorted=False)
        y, end = model(packed, given)
        y, _ = pad_packed_sequence(y, batch_first=s["batch_first"], total_length=steps)
    else:
        y, end = model(x, given)
    ends = list(end) if s["kind"] == "lstm" else [end]
    loss = sum((t * filled(t.shape, 5.0 + k)).sum() for k, t in enumerate([y] + ends))
    wanted = [x] + (states if s["state"] else []) + list(model.parameters())
    grads = torch.autograd.grad(loss, wanted)
    return {
        **s,
        "shapes": {"x": list(x.shape), "states": [list(t.shape) for t in states]},
        "names": [n for n, _ in model.named_parameters()],
        "output": {"shape": list(y.shape), "values": numbers(y)},
        "ends": [{"shape": list(t.shape), "values": numbers(t)} for t in ends],
        "grads": [numbers(g) for g in grads],
    }


def settings():
    base = dict(
        input=3, hidden=4, layers=1, bias=True, batch_first=False, bidirectional=False, projection=0, steps=4, batch=2,
        alone=False, state=True, lengths=None,
    )
    for kind in ["rnn", "relu", "lstm", "gru"]:
        yield {**base, "kind": kind}
    r = random.Random(0)
    for i in range(60):
        kind = ["lstm", "gru", "rnn", "lstm", "gru", "relu"][i % 6]
        steps, batch = r.randint(1, 5), r.randint(1, 3)
        s = dict(
            kind=kind, input=r.randint(1, 3), hidden=r.randint(1, 3), layers=r.randint(1, 3), bias=r.random() < 0.8,
            batch_first=r.random() < 0.5, bidirectional=r.random() < 0.5, projection=0, steps=steps, batch=batch,
            alone=False, state=r.random() < 0.7, lengths=None,
        )
        if kind == "lstm" and r.random() < 0.6:
            s["hidden"] = r.randint(2, 4)
            s["projection"] = r.randint(1, s["hidden"] - 1)
        if r.random() < 0.5:
            s["lengths"] = [r.randint(1, steps) for _ in range(batch)]
        elif r.random() < 0.3:
            s["alone"] = True
        yield s


def cells():
    for index, kind in enumerate(["rnn", "relu", "lstm", "gru"]):
        for bias in [True, False]:
            options = {"nonlinearity": "relu"} if kind == "relu" else {}
            make = {"rnn": nn.RNNCell, "relu": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}[kind]
            model = make(3, 4, bias=bias, **options)
            for i, p in enumerate(model.parameters()):
                p.data = filled(p.shape, i, 0.8)
            x = filled([2, 3], 0.3).requires_grad_(True)
            states = [filled([2, 4], 2.0 + k).requires_grad_(True) for k in range(2 if kind == "lstm" else 1)]
            out = model(x, tuple(states) if kind == "lstm" else states[0])
            ends = list(out) if kind == "lstm" else [out]
            loss = sum((t * filled(t.shape, 5.0 + k)).sum() for k, t in enumerate(ends))
            grads = torch.autograd.grad(loss, [x] + states + list(model.parameters()))
            yield {
                "kind": kind, "bias": bias, "names": [n for n, _ in model.named_parameters()],
                "ends": [numbers(t) for t in ends], "grads": [numbers(g) for g in grads],
            }


class Tagger(nn.Module):
    """A two-layer bidirectional LSTM below a linear layer, with PyTorch's own initial values."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.lstm(x)[0])


def file():
    torch.manual_seed(0)
    model = Tagger()
    save(model.state_dict(), "recurrent.safetensors")
    x = filled([5, 2, 3], 0.3).requires_grad_(True)
    y = model(x)
    grads = torch.autograd.grad((y * filled(y.shape, 5.0)).sum(), [x] + list(model.parameters()))
    return {
        "names": [n for n, _ in model.named_parameters()],
        "output": numbers(y),
        "grads": [numbers(g) for g in grads],
    }


layers = [evaluate(s, i, layer(s, i)) for i, s in enumerate(settings())]
json.dump({"layers": layers, "cells": list(cells()), "file": [file()]}, sys.stdout)
