"""Modules of `torch.nn` with random settings, and the layers here that take their parameters by name."""

import math

import numpy
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrizations

from . import wire
from .draw import Draw
from .ops.images import some_pixel
from .program import Case, listed


class LayerCase(Case):
    """A module as a function of inputs and parameters."""

    def __init__(self, seed, only=None):
        d = Draw(f"layer {seed}")
        super().__init__("f32" if d.chance(0.2) else "f64")
        self.draw = d
        self.replay = True
        self.name = d.choice(only or sorted(TABLE))
        self.train = d.chance(0.6)
        self.call = lambda module, *x: module(*x)
        torch.manual_seed(d.int(0, 2**31))
        self.config, self.module, inputs = TABLE[self.name](d, self)
        self.module.train(self.train)
        self.count = len(inputs)
        for x in inputs:
            self.input(x)
        self.names = [name for name, _ in self.module.named_parameters()]
        for _, p in self.module.named_parameters():
            # Small ones at first for some layers: a spread that shows what belongs where.
            self.input(d.numpy.normal(size=tuple(p.shape)) * (1.0 if p.dim() < 2 else 1.5 / math.sqrt(p.shape[-1])))
        self.buffers = {name: b.clone() for name, b in self.module.named_buffers()}
        self.weigh(d.numpy, self.outputs_of(self.inputs))

    def outputs_of(self, inputs):
        of = dict(zip(self.names, inputs[self.count:]))
        like = inputs[0].dtype if inputs else torch.float64
        of |= {n: b.clone().to(like) if b.is_floating_point() else b.clone() for n, b in self.buffers.items()}
        wrapped = Called(self.module, self.call)
        of = {"module." + name: value for name, value in of.items()}
        # The one kernel of attention that has second derivatives.
        with sdpa_kernel(SDPBackend.MATH):
            outputs = torch.func.functional_call(wrapped, of, tuple(inputs[:self.count]))
        self.after = {name.removeprefix("module."): value for name, value in of.items()}
        return [o for o in listed(outputs) if o is not None]

    def reference(self):
        found = super().reference()
        if self.train and any(b.is_floating_point() for b in self.buffers.values()):
            after = [self.after[n].reshape(-1) for n, b in self.buffers.items() if b.is_floating_point()]
            found["buffers"] = torch.cat(after).detach().to(torch.float64).numpy().copy()
        return found

    def again(self, type="f64", seed=None):
        found = super().again(type, seed)
        after = [self.after[n].reshape(-1) for n, b in self.buffers.items() if b.is_floating_point()]
        if after:
            found["buffers"] = torch.cat(after).detach().to(torch.float64).numpy().copy()
        return found

    def case(self):
        buffers = {n: wire.tensor(b.numpy()) if b.is_floating_point() else int(b) for n, b in self.buffers.items()}
        return self.wired() | {"kind": "layer", "config": {"layer": self.name} | self.config, "train": self.train,
                               "params": self.names, "buffers": buffers, "count": self.count}

    def __str__(self):
        inputs = ", ".join(str(list(x.shape)) for x in self.inputs[:self.count])
        return f"{self.type} {'train' if self.train else 'eval'} {self.name} {self.config} inputs {inputs}"


class Called(nn.Module):
    def __init__(self, module, call):
        super().__init__()
        self.module, self.call = module, call

    def forward(self, *x):
        return self.call(self.module, *x)


TABLE = {}


def layer(*names):
    def add(function):
        for name in names:
            TABLE[name] = (lambda d, case, name=name: function(d, case, name)) if len(names) > 1 else function
        return function
    return add


@layer("Linear")
def linear(d, case):
    a, b, no_bias = d.int(1, 6), d.int(1, 6), d.chance(0.4)
    x = d.numpy.normal(size=(*d.shape(rank=(0, 3)), a))
    return {"in": a, "out": b, "no_bias": no_bias}, nn.Linear(a, b, bias=not no_bias), [x]


@layer("Bilinear")
def bilinear(d, case):
    a, b, c, no_bias = d.int(1, 4), d.int(1, 4), d.int(1, 4), d.chance(0.4)
    shape = d.shape(rank=(1, 2))
    return {"in": a, "in2": b, "out": c, "no_bias": no_bias}, nn.Bilinear(a, b, c, bias=not no_bias), \
        [d.numpy.normal(size=(*shape, n)) for n in (a, b)]


@layer(*[f"Conv{k}{n}d" for k in ("", "Transpose") for n in (1, 2, 3)])
def convolution(d, case, name):
    axes, transposed = int(name[-2]), "Transpose" in name
    many = lambda low, high: [d.int(low, high) for _ in range(axes)]
    groups = d.choice([1, 1, 2, 3])
    ins, outs, no_bias = groups * d.int(1, 2), groups * d.int(1, 2), d.chance(0.4)
    kernel, stride, dilation, padding = many(1, 3), many(1, 3), many(1, 2), many(0, 2)
    size = many(3 if not transposed else 1, {1: 9, 2: 6, 3: 5}[axes])
    config = {"in": ins, "out": outs, "kernel": kernel, "stride": stride, "dilation": dilation, "groups": groups,
              "padding": padding, "no_bias": no_bias}
    more = {"stride": stride, "dilation": dilation, "groups": groups, "bias": not no_bias}
    x = d.numpy.normal(size=(d.batch(), ins, *size))
    make = getattr(nn, name)
    if transposed:
        output = [d.int(0, max(s, t) - 1) for s, t in zip(stride, dilation)]
        some_pixel(size, kernel, stride, padding, dilation, output)
        return config | {"output_padding": output}, \
            make(ins, outs, kernel, padding=padding, output_padding=output, **more), [x]
    mode, same = d.choice(["zeros", "zeros", "reflect", "replicate", "circular"]), d.chance(0.2)
    if same:
        config["stride"] = more["stride"] = [1] * axes
    config |= {"padding_mode": mode, "same": same}
    return config, make(ins, outs, kernel, padding="same" if same else padding, padding_mode=mode, **more), [x]


@layer(*[f"{k}Norm{n}d" for k in ("Batch", "Instance") for n in (1, 2, 3)])
def norm(d, case, name):
    axes = int(name[-2])
    c, eps = d.int(1, 4), d.choice([1e-5, 1e-3])
    shape = [0 if d.chance(0.05) else d.int(2, 4), c, *[d.int(2, 4) for _ in range(axes)]]
    config = {"channels": c, "eps": eps}
    momentum = d.choice([0.1, 0.5, 0.9])
    if name.startswith("Batch"):
        if axes == 1 and d.chance(0.4):
            shape = shape[:2]
        no_affine, no_running = d.chance(0.3), d.chance(0.2)
        momentum = None if d.chance(0.2) else momentum
        config |= {"no_affine": no_affine, "no_running": no_running} | ({} if momentum is None else {"momentum": momentum})
        module = getattr(nn, name)(c, eps, momentum, not no_affine, not no_running)
    else:
        affine, running = d.chance(0.5), d.chance(0.4)
        config |= {"affine": affine, "running": running, "momentum": momentum}
        module = getattr(nn, name)(c, eps, momentum, affine, running)
    with torch.no_grad():
        for n, b in module.named_buffers():
            if n == "running_mean":
                b.copy_(torch.tensor(d.numpy.normal(size=c)))
            elif n == "running_var":
                b.copy_(torch.tensor(d.numpy.uniform(0.5, 2, size=c)))
            else:
                b.fill_(d.int(0, 5))
    return config, module, [d.numpy.normal(size=shape) + 0.5]


@layer("LayerNorm", "RMSNorm")
def layer_norm(d, case, name):
    shape = d.shape(rank=(1, 2), low=2)
    x = d.numpy.normal(size=(*d.shape(rank=(0, 2)), *shape))
    no_affine = d.chance(0.3)
    if name == "LayerNorm":
        eps, no_bias = d.choice([1e-5, 0.1]), d.chance(0.3)
        return {"shape": shape, "eps": eps, "no_bias": no_bias, "no_affine": no_affine}, \
            nn.LayerNorm(shape, eps, not no_affine, not no_bias), [x]
    eps = d.choice([None, 1e-5, 0.1])
    # The smallest is that of the type, which the reference in double precision has another one for.
    eps = 1e-5 if case.type == "f32" and eps is None else eps
    return {"shape": shape, "no_affine": no_affine} | ({} if eps is None else {"eps": eps}), \
        nn.RMSNorm(shape, eps, not no_affine), [x]


@layer("GroupNorm")
def group_norm(d, case):
    groups, no_affine, eps = d.int(1, 3), d.chance(0.3), d.choice([1e-5, 0.1])
    c = groups * d.int(1, 3)
    x = d.numpy.normal(size=(d.batch(), c, *d.shape(rank=(1, 3), low=2, high=3)))
    return {"groups": groups, "channels": c, "eps": eps, "no_affine": no_affine}, \
        nn.GroupNorm(groups, c, eps, not no_affine), [x]


@layer("PReLU")
def prelu(d, case):
    shape = d.shape(rank=(2, 4), low=1)
    c = d.choice([1, shape[1]])
    return {"channels": c}, nn.PReLU(c), [d.numpy.normal(size=shape)]


@layer("Embedding")
def embedding(d, case):
    n, width = d.int(1, 6), d.int(1, 4)
    padding = d.int(-n, n - 1) if d.chance(0.5) else None
    index, attribute = d.positions(d.shape(rank=(0, 3)), n)
    case.call = lambda module: module(index)
    return {"tokens": n, "width": width, "index": attribute} | ({} if padding is None else {"padding": padding}), \
        nn.Embedding(n, width, padding), []


@layer("EmbeddingBag")
def bag(d, case):
    n, width, mode = d.int(1, 6), d.int(1, 4), d.choice(["sum", "mean", "max"])
    padding = d.int(-n, n - 1) if d.chance(0.4) else None
    index, attribute = d.positions([d.int(1, 8)], n)
    starts = sorted([0] + [d.int(0, len(index)) for _ in range(d.int(0, 3))])
    config = {"tokens": n, "width": width, "mode": mode, "index": attribute, "starts": [[len(starts)], starts]}
    weights = [d.numpy.normal(size=len(index))] if mode == "sum" and d.chance(0.5) else []
    starts = torch.tensor(starts)
    case.call = lambda module, *w: module(index, starts, *w)
    return config | ({} if padding is None else {"padding": padding}), \
        nn.EmbeddingBag(n, width, mode=mode, padding_idx=padding), weights


@layer("RNN", "GRU", "LSTM")
def recurrent(d, case, name):
    ins, hidden, layers = d.int(1, 3), d.int(1, 4), d.int(1, 3)
    both, first, no_bias = d.chance(0.5), d.chance(0.5), d.chance(0.3)
    config = {"in": ins, "hidden": hidden, "layers": layers, "bidirectional": both, "batch_first": first, "no_bias": no_bias}
    more = {}
    if name == "RNN":
        config["relu"] = d.chance(0.4)
        more["nonlinearity"] = "relu" if config["relu"] else "tanh"
    if name == "LSTM" and hidden > 1 and d.chance(0.4):
        config["projection"] = more["proj_size"] = d.int(1, hidden - 1)
    module = getattr(nn, name)(ins, hidden, layers, bias=not no_bias, batch_first=first, bidirectional=both, **more)
    steps, batch = d.int(1, 6), d.batch()
    inputs = [d.numpy.normal(size=(batch, steps, ins) if first else (steps, batch, ins))]
    given = d.chance(0.5)
    if given:
        directions = layers * (2 if both else 1)
        inputs.append(d.numpy.normal(size=(directions, batch, config.get("projection", hidden))))
        if name == "LSTM":
            inputs.append(d.numpy.normal(size=(directions, batch, hidden)))
    lengths = None
    if d.chance(0.4):
        lengths = [d.int(1, steps) for _ in range(batch)]
        config["lengths"] = [[batch], lengths]

    def call(module, x, *state):
        if lengths is not None:
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), first, enforce_sorted=False)
        y, end = module(x, (state if name == "LSTM" else state[0]) if state else None)
        if lengths is not None:
            y, _ = nn.utils.rnn.pad_packed_sequence(y, first, total_length=steps)
        return (y, *end) if name == "LSTM" else (y, end)

    case.call = call
    return config, module, inputs


@layer("RNNCell", "GRUCell", "LSTMCell")
def cell(d, case, name):
    ins, hidden, no_bias = d.int(1, 4), d.int(1, 4), d.chance(0.3)
    config = {"in": ins, "hidden": hidden, "no_bias": no_bias}
    more = {}
    if name == "RNNCell":
        config["relu"] = d.chance(0.4)
        more["nonlinearity"] = "relu" if config["relu"] else "tanh"
    batch = [d.batch()]
    states = 2 if name == "LSTMCell" else 1
    case.call = lambda module, x, *h: module(x, h if states == 2 else h[0])
    return config, getattr(nn, name)(ins, hidden, not no_bias, **more), \
        [d.numpy.normal(size=(*batch, n)) for n in [ins] + [hidden] * states]


def masks(d, queries, keys, batch, prefix=""):
    """Which keys are hidden from which queries, and which are padding; the first is always seen."""
    config, attn, padding = {}, None, None
    if d.chance(0.4):
        attn, _ = d.mask([queries, keys])
        attn[:, 0] = False
        config[f"{prefix}mask"] = [[queries, keys], attn.reshape(-1).int().tolist()]
    if d.chance(0.4):
        padding, _ = d.mask([batch, keys])
        padding[:, 0] = False
        config[f"{prefix}padding"] = [[batch, keys], padding.reshape(-1).int().tolist()]
    return config, attn, padding


@layer("MultiheadAttention")
def attention(d, case):
    heads = d.int(1, 3)
    width, batch, queries, keys = heads * d.int(1, 3), d.batch(), d.int(1, 4), d.int(1, 4)
    no_bias, extra, zero = d.chance(0.3), d.chance(0.2), d.chance(0.2)
    config = {"width": width, "heads": heads, "no_bias": no_bias, "bias_key_value": extra, "zero_attention": zero}
    more = {}
    if d.chance(0.4):
        more = {"kdim": d.int(1, 4), "vdim": d.int(1, 4)}
        config |= {"key_width": more["kdim"], "value_width": more["vdim"]}
    module = nn.MultiheadAttention(width, heads, bias=not no_bias, add_bias_kv=extra, add_zero_attn=zero, batch_first=True,
                                   **more)
    given, attn, padding = masks(d, queries, keys, batch)
    case.call = lambda module, q, k, v: module(q, k, v, attn_mask=attn, key_padding_mask=padding, need_weights=True)
    # The fast path of PyTorch has no derivatives.
    case.train = True
    return config | given, module, [d.numpy.normal(size=(batch, n, w)) for n, w in
                                    ((queries, width), (keys, more.get("kdim", width)), (keys, more.get("vdim", width)))]


def transformer(d):
    heads = d.int(1, 3)
    width = heads * d.int(1, 3)
    config = {"width": width, "heads": heads, "feed_forward": d.int(1, 6), "eps": d.choice([1e-5, 0.1]),
              "gelu": d.chance(0.5), "norm_first": d.chance(0.5), "no_bias": d.chance(0.3)}
    more = {"d_model": width, "nhead": heads, "dim_feedforward": config["feed_forward"], "dropout": 0.0,
            "activation": "gelu" if config["gelu"] else "relu", "layer_norm_eps": config["eps"], "batch_first": True,
            "norm_first": config["norm_first"], "bias": not config["no_bias"]}
    return config, more, lambda n: d.numpy.normal(size=(d_batch, n, width))


d_batch = 2


@layer("TransformerEncoderLayer", "TransformerDecoderLayer")
def transformer_layer(d, case, name):
    config, more, numbers = transformer(d)
    n, m = d.int(1, 4), d.int(1, 4)
    case.train = True
    given, attn, padding = masks(d, n, n, d_batch)
    module = getattr(nn, name)(**more)
    if name == "TransformerEncoderLayer":
        case.call = lambda module, x: module(x, src_mask=attn, src_key_padding_mask=padding)
        return config | given, module, [numbers(n)]
    further, memory_attn, memory_padding = masks(d, n, m, d_batch, "memory_")
    case.call = lambda module, x, memory: module(x, memory, tgt_mask=attn, memory_mask=memory_attn,
                                                 tgt_key_padding_mask=padding, memory_key_padding_mask=memory_padding)
    return config | given | further, module, [numbers(n), numbers(m)]


@layer("Transformer")
def whole(d, case):
    config, more, numbers = transformer(d)
    encoders, decoders, causal = d.int(1, 2), d.int(1, 2), d.chance(0.5)
    n, m = d.int(1, 3), d.int(1, 3)
    case.train = True
    mask = nn.Transformer.generate_square_subsequent_mask(m) if causal else None
    case.call = lambda module, x, y: module(x, y, tgt_mask=None if mask is None else mask.to(x.dtype))
    return config | {"encoders": encoders, "decoders": decoders, "causal": causal}, \
        nn.Transformer(num_encoder_layers=encoders, num_decoder_layers=decoders, **more), [numbers(n), numbers(m)]


@layer("weight_norm", "spectral_norm")
def parametrised(d, case, name):
    a, b = d.int(1, 5), d.int(1, 5)
    x = d.numpy.normal(size=(d.batch(), a))
    module = nn.Linear(a, b)
    if name == "weight_norm":
        axis = d.int(0, 1)
        # PyTorch's second derivatives are not those of its first ones.
        case.order = 1
        return {"in": a, "out": b, "axis": axis}, parametrizations.weight_norm(module, dim=axis), [x]
    steps = d.int(1, 3)
    case.train = False
    return {"in": a, "out": b, "steps": steps}, parametrizations.spectral_norm(module, n_power_iterations=steps), [x]


@layer("AdaptiveLogSoftmaxWithLoss")
def adaptive(d, case):
    classes = d.int(4, 9)
    cutoffs = sorted(d.random.sample(range(1, classes), d.int(1, 2)))
    ins, div, head = d.int(4, 8), d.choice([1.0, 2.0]), d.chance(0.4)
    batch = d.batch(5)
    labels, attribute = d.positions([batch], classes)
    case.call = lambda module, x: tuple(module(x, labels))
    return {"in": ins, "classes": classes, "cutoffs": cutoffs, "div_value": div, "head_bias": head, "labels": attribute}, \
        nn.AdaptiveLogSoftmaxWithLoss(ins, classes, cutoffs, div, head), [d.numpy.normal(size=(batch, ins))]


@layer("LocalResponseNorm")
def local_response(d, case):
    config = {"size": d.int(1, 5), "alpha": d.choice([1e-4, 0.5]), "beta": d.choice([0.75, 0.5]), "k": d.choice([1.0, 2.0])}
    x = d.numpy.normal(size=(d.batch(), d.int(1, 5), *d.shape(rank=(1, 2), low=1)))
    return config, nn.LocalResponseNorm(**config), [x]
