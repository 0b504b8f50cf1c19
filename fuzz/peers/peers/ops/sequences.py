"""What goes along an axis element by element, transforms, attention, gates of recurrent nets."""

import torch
import torch.nn.functional as F

from ..program import Refused
from . import op

SOME = ("ties", "special")


@op("cumsum", "cumprod", "logcumsumexp", flavours=SOME)
def running(d, name):
    x = d.any(rank=(1, 4), limit=40 if name == "cumprod" else 120)
    axis = d.axis(x)
    if d.program.flavour == "special" and name == "cumprod":
        # 0 · ∞ of what has no share in a second derivative is NaN, on one side or the other.
        d.program.order = 1
    function = {"cumsum": torch.cumsum, "cumprod": torch.cumprod, "logcumsumexp": torch.logcumsumexp}[name]
    return d.step(name, [x], {"axis": axis}, lambda x: function(x, axis))


@op("cummax", "cummin", flavours=("ties", "special", "extreme"))
def extremes(d, name):
    x = d.any(rank=(1, 4))
    axis = d.axis(x)
    function = {"cummax": torch.cummax, "cummin": torch.cummin}[name]
    return d.step(name, [x], {"axis": axis}, lambda x: (function(x, axis)[0], function(x, axis)[1].to(x.dtype)))


@op("sort", "argsort", "topk", flavours=SOME)
def ordered(d, name):
    x = d.any(rank=(1, 4))
    axis, descending = d.axis(x), d.chance(0.5)
    if name == "topk":
        k = d.int(0, d.shape_of(x)[axis])
        # Which of equal ones come, PyTorch leaves open; here it is the first, as in a stable sort.
        def call(x):
            values, places = torch.sort(x, dim=axis, descending=True, stable=True)
            return values.narrow(axis, 0, k), places.narrow(axis, 0, k).to(x.dtype)
        return d.step(name, [x], {"k": k, "axis": axis}, call)
    call = lambda x: torch.sort(x, dim=axis, descending=descending, stable=True)
    attributes = {"axis": axis, "descending": descending}
    if name == "sort":
        return d.step(name, [x], attributes, lambda x: call(x)[0])
    return d.step(name, [x], attributes, lambda x: call(x)[1].to(x.dtype))


@op("diff", "trapezoid", "cumulative_trapezoid")
def calculus(d, name):
    x = d.any(rank=(1, 4), low=1)
    axis = d.axis(x, 1)
    if name == "diff":
        n = d.int(0, 3)
        return d.step(name, [x], {"n": n, "axis": axis}, lambda x: torch.diff(x, n, axis))
    function = {"trapezoid": torch.trapezoid, "cumulative_trapezoid": torch.cumulative_trapezoid}[name]
    if d.chance(0.5):
        dx = d.number(-1, 2)
        return d.step(name, [x], {"dx": dx, "axis": axis}, lambda x: function(x, dx=dx, dim=axis))
    places = d.of_shape([d.shape_of(x)[axis]])
    return d.step(name, [x, places], {"axis": axis}, lambda x, places: function(x, places, dim=axis))


@op("fft", "ifft", "rfft", "irfft", weight=1.5)
def fourier(d, name):
    real = name == "rfft"
    shape = d.shape(rank=(1, 3), low=1, high=5) + ([] if real else [2])
    x = d.of_shape(shape)
    rank = len(shape) - (0 if real else 1)
    axes = d.random.sample(range(rank), d.int(1, min(2, rank)))
    axes = [a if d.chance(0.5) else a - rank for a in axes]
    lengths = [d.int(1, 7) for _ in axes] if d.chance(0.5) else None
    if name == "irfft" and lengths is None and shape[axes[-1] % rank] == 1:
        raise Refused("a signal of length 0")
    norm = d.choice(["backward", "ortho", "forward"])
    attributes = {"axes": axes, "norm": norm} | ({} if lengths is None else {"lengths": lengths})
    function = {"fft": torch.fft.fftn, "ifft": torch.fft.ifftn, "rfft": torch.fft.rfftn, "irfft": torch.fft.irfftn}[name]

    def call(x):
        x = x if real else torch.view_as_complex(x.contiguous())
        y = function(x, s=lengths, dim=axes, norm=norm)
        return y if name == "irfft" else torch.view_as_real(y)

    return d.step(name, [x], attributes, call)


@op("fftshift", "ifftshift", weight=0.5)
def shifted(d, name):
    x = d.any(rank=(1, 3))
    axis = d.axis(x)
    return d.step(name, [x], {"axis": axis}, lambda x: getattr(torch.fft, name)(x, axis))


@op("stft")
def stft(d):
    n = d.choice([1, 2, 3, 4, 5, 8])
    hop, centred, normalized, two_sided = d.int(1, n), d.chance(0.6), d.chance(0.3), d.chance(0.3)
    x = d.of_shape([*d.shape(rank=(0, 1), low=1), d.int(max(n, n // 2 + 1), n + 9)])
    operands = [x] + ([d.of_shape([n])] if d.chance(0.6) else [])
    attributes = {"n": n, "hop": hop, "centred": centred, "normalized": normalized, "two_sided": two_sided}

    def call(x, window=None):
        window = torch.ones(n, dtype=x.dtype) if window is None else window
        return torch.view_as_real(torch.stft(x, n, hop, window=window, center=centred, normalized=normalized,
                                             onesided=not two_sided, return_complex=True))

    return d.step("stft", operands, attributes, call)


@op("scan_tanh")
def scan_tanh(d):
    steps, width = d.int(1, 7), d.int(1, 4)
    x, w, start = d.of_shape([steps, width]), d.of_shape([width]), d.of_shape([width])
    reverse = d.chance(0.5)

    def call(x, w, h):
        outputs = []
        for row in reversed(x.unbind(0)) if reverse else x.unbind(0):
            h = torch.tanh(h * w + row)
            outputs.append(h.square())
        return h, torch.stack(outputs[::-1] if reverse else outputs)

    return d.step("scan_tanh", [x, w, start], {"reverse": reverse}, call)


@op("attention", "attention_weights", weight=2.0)
def attention(d, name):
    if d.program.flavour == "far":
        raise Refused("scores are products, which leave the range")
    batch, (queries, keys, width, values) = d.shape(rank=(0, 2), low=1, high=3), [d.int(1, 5) for _ in range(4)]
    q, k = d.of_shape([*batch, queries, width]), d.of_shape([*batch, keys, width])
    operands = [q, k] + ([d.of_shape([*batch, keys, values])] if name == "attention" else [])
    causal = queries == keys and d.chance(0.3)
    attributes = {"causal": causal}
    mask = torch.ones(queries, keys, dtype=torch.bool)
    if causal:
        mask = mask.tril()
    if d.chance(0.4):
        # One key for each query at least, where PyTorch has numbers.
        some, _ = d.mask([queries, keys])
        some = some | torch.eye(queries, keys, dtype=torch.bool) | (torch.arange(keys) == 0)
        mask = mask & some
        attributes["mask"] = [[queries, keys], some.reshape(-1).int().tolist()]
    if d.chance(0.3):
        operands.append(d.of_shape([queries, keys]))
    if d.chance(0.3):
        attributes["scale"] = d.number(0.25, 2)
    scale = attributes.get("scale", width**-0.5)

    def call(q, k, *rest):
        value, bias = (rest[0], rest[1:]) if name == "attention" else (None, rest)
        scores = q @ k.transpose(-1, -2) * scale
        scores = scores + bias[0] if bias else scores
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), -1)
        return weights if value is None else weights @ value

    return d.step(name, operands, attributes, call)


def lstm_cell(x, s, c):
    i, f, g, o = (x + s).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_cell(x, s, h):
    (r, z, n), (sr, sz, sn) = x.chunk(3, -1), s.chunk(3, -1)
    r, z = torch.sigmoid(r + sr), torch.sigmoid(z + sz)
    n = torch.tanh(n + r * sn)
    return (1 - z) * n + z * h


@op("lstm_gates", "gru_gates")
def gates(d, name):
    batch, h = d.shape(rank=(1, 2), low=1, high=3), d.int(1, 4)
    many = 4 if name == "lstm_gates" else 3
    x, s, state = d.of_shape([*batch, many * h]), d.of_shape([*batch, many * h]), d.of_shape([*batch, h])

    def lstm(x, s, c):
        return torch.cat(lstm_cell(x, s, c), -1)

    return d.step(name, [x, s, state], {}, lstm if name == "lstm_gates" else gru_cell)


@op("lstm_sequence", "gru_sequence")
def sequence(d, name):
    if d.program.flavour == "far":
        raise Refused("its products leave the range")
    lstm, reverse = name == "lstm_sequence", d.chance(0.5)
    # From four rows on, weights are packed.
    steps, batch, h = d.int(1, 4), d.choice([1, 2, 3, 4, 5, 9]), d.int(1, 4)
    rows = (4 if lstm else 3) * h
    operands = [d.of_shape([steps, batch, rows]), d.of_shape([rows, h]), d.of_shape([batch, h])]
    biased = not lstm and d.chance(0.5)
    if lstm or biased:
        operands.append(d.of_shape([batch, h] if lstm else [rows]))

    def call(x, weight, h, *rest):
        outputs, c = [], rest[0] if lstm else None
        for row in reversed(x.unbind(0)) if reverse else x.unbind(0):
            product = h @ weight.T + (rest[0] if biased else 0)
            if lstm:
                h, c = lstm_cell(row, product, c)
            else:
                h = gru_cell(row, product, h)
            outputs.append(h)
        outputs = torch.stack(outputs[::-1] if reverse else outputs)
        return (outputs, c) if lstm else outputs

    return d.step(name, operands, {"reverse": reverse, "biased": biased}, call)
