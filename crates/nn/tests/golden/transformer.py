"""Attention, the layers of transformers and LayerNorm as PyTorch computes them, in double precision.

Run in this folder: python transformer.py > transformer.json, which also writes transformer.safetensors, the stack of layers
as it is saved.
"""

import json

import torch
from torch import nn

from files import save

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": t.detach().reshape(-1).tolist()}


def case(name, model, inputs, function, **options):
    """The output and the gradients of the sum of its products with fixed weights, by the inputs and the parameters, which
    are not those of the start, of which some are 0."""
    model.eval()
    params = list(model.parameters())
    with torch.no_grad():
        for p in params:
            p.normal_(0.0, 0.3)
    inputs = [t.requires_grad_(True) for t in inputs]
    output = function(model, *inputs)
    weights = torch.linspace(-1.0, 2.0, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * weights).sum(), inputs + params, allow_unused=True)
    grads = [torch.zeros_like(t) if g is None else g for g, t in zip(grads, inputs + params)]
    return {
        "name": name,
        "names": [n for n, _ in model.named_parameters()],
        "inputs": [pack(t) for t in inputs + params],
        "output": pack(output),
        "grads": [pack(g) for g in grads],
        **options,
    }


def attention():
    def mha(**options):
        return nn.MultiheadAttention(4, 2, batch_first=True, **options)

    x, memory = lambda: torch.randn(2, 3, 4), lambda: torch.randn(2, 5, 4)
    itself = lambda **o: lambda m, x: m(x, x, x, need_weights=False, **o)[0]
    causal = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
    padding = torch.tensor([[False, False, False, True, True], [False, True, False, False, False]])
    mask = torch.rand(4, 3, 5) < 0.4
    mask[..., 0] = False
    bias = torch.randn(3, 5)
    cross = lambda **o: lambda m, x, y: m(x, y, y, need_weights=False, **o)[0]
    yield case("itself", mha(), [x()], itself())
    yield case("itself without batch", mha(), [torch.randn(3, 4)], itself())
    yield case("itself without bias", mha(bias=False), [x()], itself())
    yield case("causal", mha(), [x()], itself(attn_mask=causal))
    yield case("cross", mha(), [x(), memory()], cross())
    yield case("padding", mha(), [x(), memory()], cross(key_padding_mask=padding), padding=padding.reshape(-1).tolist())
    yield case("mask of heads", mha(), [x(), memory()], cross(attn_mask=mask), mask=mask.reshape(-1).tolist())
    yield case("bias", mha(), [x(), memory()], cross(attn_mask=bias), bias=pack(bias))
    yield case(
        "other features",
        mha(kdim=3, vdim=5),
        [x(), torch.randn(2, 5, 3), torch.randn(2, 5, 5)],
        lambda m, q, k, v: m(q, k, v, need_weights=False)[0],
    )
    yield case("more keys", mha(add_bias_kv=True, add_zero_attn=True), [x()], itself())
    yield case(
        "more keys, padded",
        mha(add_bias_kv=True),
        [x(), memory()],
        cross(key_padding_mask=padding),
        padding=padding.reshape(-1).tolist(),
    )
    weights = lambda average: lambda m, x, y: m(x, y, y, average_attn_weights=average)[1]
    yield case("averaged weights", mha(), [x(), memory()], weights(True))
    yield case("weights", mha(add_zero_attn=True), [x(), memory()], weights(False))


def layers():
    x, memory = lambda: torch.randn(2, 3, 4), lambda: torch.randn(2, 5, 4)
    causal = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
    shared = {"dim_feedforward": 6, "dropout": 0.0, "batch_first": True}
    for name, options in {
        "": {},
        " norm first": {"norm_first": True, "activation": "gelu"},
        " without bias": {"bias": False, "layer_norm_eps": 1e-3},
    }.items():
        encoder, decoder = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
        yield case("encoder" + name, encoder(4, 2, **shared, **options), [x()], lambda m, x: m(x, src_mask=causal))
        yield case(
            "decoder" + name,
            decoder(4, 2, **shared, **options),
            [x(), memory()],
            lambda m, x, y: m(x, y, tgt_mask=causal),
        )
    norm = nn.LayerNorm(4)
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **shared), 2, norm)
    yield case("stack", stack, [x()], lambda m, x: m(x))
    save(stack.state_dict(), "transformer.safetensors", {"format": "pt"})
    padding = torch.tensor([[False, False, False, True, True], [False, True, False, False, False]])
    yield case(
        "transformer",
        nn.Transformer(4, 2, 1, 2, **shared),
        [memory(), x()],
        lambda m, source, target: m(
            source, target, tgt_mask=causal, src_key_padding_mask=padding, memory_key_padding_mask=padding
        ),
        padding=padding.reshape(-1).tolist(),
    )
    yield case("layer norm", nn.LayerNorm([3, 4]), [x()], lambda m, x: m(x))
    yield case("layer norm with eps", nn.LayerNorm(4, eps=0.5, bias=False), [x()], lambda m, x: m(x))


print(json.dumps({"attention": list(attention()), "layers": list(layers())}))
