"""Scaled dot-product attention as PyTorch computes it, in double precision.

Run in this folder: python attention.py > attention.json
"""

import json

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


def case(name, query, key, value_width, mask=None, bias=None, **options):
    *lead, keys, _ = key
    inputs = [torch.randn(query), torch.randn(key), torch.randn(*lead, keys, value_width)]
    if bias is not None:
        inputs.append(torch.randn(bias))
    inputs = [t.requires_grad_(True) for t in inputs]
    attn_mask = inputs[3] if bias is not None else mask
    value = F.scaled_dot_product_attention(*inputs[:3], attn_mask=attn_mask, **options)
    weights = torch.linspace(-1.0, 2.0, value.numel()).reshape(value.shape)
    gradient = torch.autograd.grad((value * weights).sum(), inputs)
    # Only this of PyTorch's implementations has derivatives of second order.
    with sdpa_kernel(SDPBackend.MATH):
        again = F.scaled_dot_product_attention(*inputs[:3], attn_mask=attn_mask, **options)
    first = torch.autograd.grad((again.sin() * weights).sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum(g.sin().sum() for g in first), inputs)
    return {
        "name": name,
        "inputs": [pack(t) for t in inputs],
        "mask": None if mask is None else {"shape": list(mask.shape), "data": mask.reshape(-1).tolist()},
        "scale": options.get("scale"),
        "causal": options.get("is_causal", False),
        "value": pack(value),
        "gradient": [pack(g) for g in gradient],
        "second": [pack(g) for g in second],
    }


mask = torch.rand(2, 1, 5, 7) < 0.6
mask[..., 0] = True
print(
    json.dumps(
        {
            "cases": [
                case("plain", (2, 3, 5, 4), (2, 3, 7, 4), 4),
                case("causal", (2, 3, 5, 4), (2, 3, 5, 4), 3, is_causal=True),
                case("causal with more keys", (1, 2, 3, 4), (1, 2, 5, 4), 4, is_causal=True),
                case("three axes and a scale", (3, 2, 4), (3, 6, 4), 1, scale=0.7),
                case("mask", (2, 3, 5, 4), (2, 3, 7, 4), 2, mask=mask),
                case("bias", (2, 3, 5, 4), (2, 3, 7, 4), 2, bias=(3, 1, 7)),
                case("bias of all", (2, 2, 3, 4), (2, 2, 4, 4), 2, bias=(2, 2, 3, 4)),
                case("grouped", (2, 6, 3, 4), (2, 2, 5, 4), 4, enable_gqa=True),
                case("one of each", (1, 1, 1, 3), (1, 1, 1, 3), 2),
                case("several tiles", (70, 2), (140, 2), 2),
            ]
        }
    )
)
