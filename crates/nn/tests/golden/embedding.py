"""Embeddings as PyTorch computes them, in double precision.

Run in this folder: python embedding.py > embedding.json
"""

import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": t.detach().reshape(-1).tolist()}


def case(name, output, inputs, **options):
    """The output and the gradients of the sum of its products with fixed weights."""
    weights = torch.linspace(-1.0, 2.0, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * weights).sum(), inputs)
    return {
        "name": name, "inputs": [pack(t) for t in inputs], "output": pack(output), "grads": [pack(g) for g in grads],
        **options,
    }


def embeddings():
    tokens = torch.tensor([[1, 4, 4], [0, 5, 1]])
    for padding in [None, 4, -1, -6]:
        w = torch.randn(6, 3, requires_grad=True)
        y = F.embedding(tokens, w, padding_idx=padding)
        yield case("embedding", y, [w], padding=padding, tokens=tokens.reshape(-1).tolist())


def bags():
    tokens = torch.tensor([1, 4, 4, 0, 5, 1, 3])
    for offsets in [[0, 2, 2, 6], [0], [0, 7], [0, 0, 1]]:
        for mode in ["sum", "mean", "max"]:
            for padding in [None, 4, -1]:
                for weighted in [False, True] if mode == "sum" else [False]:
                    w = torch.randn(6, 3, requires_grad=True)
                    inputs = [w]
                    if weighted:
                        inputs.append(torch.randn(7, requires_grad=True))
                    y = F.embedding_bag(
                        tokens, w, torch.tensor(offsets), mode=mode, padding_idx=padding,
                        per_sample_weights=inputs[1] if weighted else None,
                    )
                    yield case(
                        mode, y, inputs, padding=padding, tokens=tokens.tolist(), offsets=offsets, weighted=weighted
                    )


def limits():
    """The rows of a table behind a lookup of all of them with a largest norm."""
    for p in [1.0, 2.0, 3.0, float("inf")]:
        table = nn.Embedding(5, 4, max_norm=1.2, norm_type=p)
        before = pack(table.weight)
        table(torch.arange(5))
        yield {"p": str(p), "before": before, "after": pack(table.weight)}


json.dump({"embeddings": list(embeddings()), "bags": list(bags()), "limits": list(limits())}, sys.stdout)
