"""What came later: weights of positive targets, adaptive softmax, similarities as layers, bags with an end, as PyTorch computes
them, in double precision.

Run in this folder: python rest.py > rest.json
"""

import json

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": [float(f"{v:.13g}") for v in t.detach().reshape(-1).tolist()]}


def short(t):
    return ((t * 1e3).round() / 1e3).detach().requires_grad_(True)


def case(name, output, inputs, **options):
    """The output and the gradients of the sum of its products with fixed weights."""
    weights = torch.linspace(-1.0, 2.0, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * weights).sum(), inputs, allow_unused=True)
    grads = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, inputs)]
    return {
        "name": name, "inputs": [pack(t) for t in inputs], "output": pack(output), "grads": [pack(g) for g in grads],
        **options,
    }


def positive_weights():
    for reduction in ["none", "mean", "sum"]:
        x, t = short(torch.randn(4, 3) * 3), (torch.rand(4, 3) > 0.5).double().requires_grad_(True)
        w = short(torch.rand(3) * 4).detach()
        y = F.binary_cross_entropy_with_logits(x, t, pos_weight=w, reduction=reduction)
        yield case(reduction, y, [x, t], weights=pack(w))


def adaptive():
    for bias, value, cutoffs in [(False, 4.0, [3, 5]), (True, 2.0, [2]), (False, 1.0, [1, 2, 7])]:
        m = nn.AdaptiveLogSoftmaxWithLoss(16, 9, cutoffs, div_value=value, head_bias=bias)
        for p in m.parameters():
            p.data = short(torch.randn_like(p)).data
        x = short(torch.randn(6, 16))
        labels = torch.tensor([0, 8, 2, 5, 3, 8])
        o = {"cutoffs": cutoffs, "bias": bias, "value": value, "labels": labels.tolist(),
             "names": [n for n, _ in m.named_parameters()], "predicted": m.predict(x).tolist()}
        inputs = [x, *m.parameters()]
        yield case("all", m.log_prob(x), inputs, **o)
        yield case("labels", m(x, labels).output, inputs, **o)
        yield case("loss", m(x, labels).loss, inputs, **o)


def similarities():
    x, y = short(torch.randn(2, 3, 4)), short(torch.randn(2, 1, 4))
    yield case("cosine", nn.CosineSimilarity()(x, y), [x, y])
    yield case("cosine 2", nn.CosineSimilarity(dim=2, eps=0.9)(x, y), [x, y])
    yield case("distance", nn.PairwiseDistance()(x, y), [x, y])
    yield case("distance 3", nn.PairwiseDistance(p=3.0, eps=0.01, keepdim=True)(x, y), [x, y])


def bags():
    tokens = torch.tensor([1, 4, 4, 0, 5, 1, 3])
    for mode in ["sum", "mean", "max"]:
        for offsets in [[0, 2, 2, 7], [0, 7]]:
            w = short(torch.randn(6, 3))
            y = F.embedding_bag(tokens, w, torch.tensor(offsets), mode=mode, include_last_offset=True)
            yield case(mode, y, [w], tokens=tokens.tolist(), offsets=offsets)


sections = [positive_weights, adaptive, similarities, bags]
print(json.dumps({f.__name__: [*f()] for f in sections}, separators=(",", ":")))
