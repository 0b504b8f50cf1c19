"""Convolutions, pools, borders and resampling as PyTorch computes them, in double precision.

Run in this folder: python windows.py > windows.json
"""

import json

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)


def formula(shape, seed):
    """Numbers that `windows.rs` makes in the same way, different from each other: multiples of 1/4036 in (-0.5, 0.5)."""
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n)
    return (((i * 7919 + seed * 104729) % 4036 - 2018).to(torch.float64) / 4036.0).reshape(shape)


def pack(t):
    return {"shape": list(t.shape), "values": [float(f"{v:.13g}") for v in t.detach().reshape(-1).tolist()]}


def case(name, function, shapes):
    """The output of `function` and the gradients of the sum of its output's products with fixed weights."""
    inputs = [formula(s, k).requires_grad_(True) for k, s in enumerate(shapes)]
    output = function(*inputs)
    weights = torch.linspace(-1.0, 2.0, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * weights).sum(), inputs)
    return {"name": name, "shapes": shapes, "output": pack(output), "grads": [pack(g) for g in grads]}


def layer(name, module, shape):
    """A layer at parameters that are made by the formula, in the order of its parameters."""
    params = list(module.parameters())
    keys = [k for k, _ in module.named_parameters()]

    def function(x, *values):
        return torch.func.functional_call(module, dict(zip(keys, values)), (x,))

    return case(name, function, [shape] + [list(p.shape) for p in params])


def convolutions():
    yield layer("Conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), [2, 4, 9])
    yield layer("Conv1d same", nn.Conv1d(2, 3, 4, padding="same", dilation=3), [2, 2, 7])
    yield layer("Conv1d circular", nn.Conv1d(2, 3, 3, padding=4, padding_mode="circular", bias=False), [2, 2, 5])
    yield layer("Conv1d valid", nn.Conv1d(2, 3, 2, padding="valid"), [1, 2, 5])
    yield layer("Conv2d reflect", nn.Conv2d(2, 3, (3, 2), padding=(1, 2), padding_mode="reflect"), [2, 2, 4, 5])
    yield layer("Conv2d replicate same", nn.Conv2d(2, 2, (2, 4), padding="same", padding_mode="replicate"), [1, 2, 3, 4])
    yield layer("Conv2d same", nn.Conv2d(2, 3, (2, 3), padding="same"), [2, 2, 3, 4])
    yield layer("Conv3d", nn.Conv3d(2, 4, (2, 3, 1), stride=(1, 2, 1), padding=(1, 2, 0), dilation=(2, 1, 1), groups=2), [2, 2, 4, 3, 2])
    yield layer("Conv3d same", nn.Conv3d(1, 2, (2, 1, 3), padding="same", padding_mode="circular"), [1, 1, 3, 2, 3])
    yield layer("ConvTranspose1d", nn.ConvTranspose1d(4, 6, 3, stride=3, padding=1, output_padding=2, dilation=2, groups=2), [2, 4, 4])
    yield layer("ConvTranspose2d", nn.ConvTranspose2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), output_padding=(1, 0)), [2, 2, 3, 4])
    yield layer("ConvTranspose2d dilation", nn.ConvTranspose2d(2, 1, 2, output_padding=(2, 1), dilation=(3, 2), bias=False), [1, 2, 2, 3])
    yield layer("ConvTranspose3d", nn.ConvTranspose3d(2, 2, (2, 1, 3), stride=(2, 1, 2), padding=(0, 0, 1), output_padding=(1, 0, 1)), [1, 2, 2, 3, 2])


def pools():
    yield layer("MaxPool1d", nn.MaxPool1d(3, 2, 1, dilation=2, ceil_mode=True), [2, 2, 8])
    yield layer("MaxPool2d ceil", nn.MaxPool2d((2, 3), 2, (1, 0), ceil_mode=True), [1, 2, 5, 6])
    yield layer("MaxPool3d", nn.MaxPool3d((2, 3, 2), (1, 2, 2), (1, 1, 0), ceil_mode=True), [1, 2, 3, 4, 5])
    yield layer("AvgPool1d", nn.AvgPool1d(3, 2, 1, ceil_mode=True), [2, 2, 6])
    yield layer("AvgPool1d inside", nn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=False), [2, 2, 6])
    yield layer("AvgPool2d divisor", nn.AvgPool2d((2, 3), 2, (1, 1), ceil_mode=True, divisor_override=5), [1, 2, 4, 5])
    yield layer("AvgPool3d", nn.AvgPool3d((2, 3, 2), (2, 2, 1), (1, 1, 0), ceil_mode=True), [1, 2, 3, 4, 3])
    yield layer("AvgPool3d inside", nn.AvgPool3d((2, 3, 2), (2, 2, 1), (1, 1, 0), True, False), [1, 2, 3, 4, 3])
    yield layer("AvgPool3d divisor", nn.AvgPool3d(2, 1, divisor_override=3), [1, 1, 3, 3, 2])
    yield layer("AdaptiveAvgPool1d", nn.AdaptiveAvgPool1d(3), [2, 2, 7])
    yield layer("AdaptiveAvgPool2d", nn.AdaptiveAvgPool2d((None, 4)), [2, 1, 3, 6])
    yield layer("AdaptiveAvgPool3d", nn.AdaptiveAvgPool3d((2, 5, 1)), [1, 2, 3, 4, 3])
    yield layer("AdaptiveMaxPool1d", nn.AdaptiveMaxPool1d(3), [2, 2, 7])
    yield layer("AdaptiveMaxPool2d", nn.AdaptiveMaxPool2d((5, None)), [2, 1, 3, 6])
    yield layer("AdaptiveMaxPool3d", nn.AdaptiveMaxPool3d((2, 3, 1)), [1, 2, 3, 4, 3])
    yield case("LpPool1d", lambda x: nn.LPPool1d(3, 2, ceil_mode=True)(x.abs() + 0.1), [[2, 2, 5]])
    yield layer("LpPool2d", nn.LPPool2d(2.0, (2, 3), stride=(1, 2)), [1, 2, 4, 5])
    yield layer("LpPool3d", nn.LPPool3d(2.0, 2, ceil_mode=True), [1, 1, 3, 4, 3])
    for d, shape in ((1, [2, 2, 8]), (2, [1, 2, 5, 6]), (3, [1, 1, 4, 4, 5])):
        pool = getattr(nn, f"MaxPool{d}d")(2, return_indices=True)
        unpool = getattr(nn, f"MaxUnpool{d}d")(2)
        yield case(f"MaxUnpool{d}d", lambda x: unpool(*pool(x), output_size=shape[2:]), [shape])


def fractional():
    """Random numbers in the order of the axes; PyTorch takes the width's first for images, and not for volumes."""
    u = torch.tensor([[[0.2, 0.9], [0.5, 0.1]]])
    image = lambda x: F.fractional_max_pool2d(x, (2, 3), output_size=(3, 4), _random_samples=u.flip(-1))
    yield case("image", image, [[1, 2, 7, 9]])
    u = torch.tensor([[[0.2, 0.5, 0.9]], [[0.7, 0.0, 0.3]]])
    volume = lambda x: F.fractional_max_pool3d(x, (2, 2, 3), output_size=(2, 3, 1), _random_samples=u)
    yield case("volume", volume, [[2, 1, 5, 6, 4]])


def borders():
    for name, width, shape in (
        ("1d", (2, 1), [2, 2, 3]),
        ("2d", (2, 1, 0, 1), [1, 2, 2, 3]),
        ("3d", (2, 1, 0, 1, 1, 1), [1, 1, 2, 2, 3]),
    ):
        yield layer(f"ZeroPad{name}", getattr(nn, f"ZeroPad{name}")(width), shape)
        yield layer(f"ConstantPad{name}", getattr(nn, f"ConstantPad{name}")(width, 3.5), shape)
        yield layer(f"ReflectionPad{name}", getattr(nn, f"ReflectionPad{name}")(width), shape)
        yield layer(f"ReplicationPad{name}", getattr(nn, f"ReplicationPad{name}")(width), shape)
        yield layer(f"CircularPad{name}", getattr(nn, f"CircularPad{name}")(width), shape)


def resampling():
    shapes = {1: [2, 1, 5], 2: [1, 2, 4, 5], 3: [1, 1, 3, 2, 4]}
    sizes = {1: [[8], [3], [5], [1]], 2: [[7, 3], [1, 9]], 3: [[5, 3, 2]]}
    scales = {1: [[1.7], [0.45], [1.05]], 2: [[2.0, 1.3], [0.6, 2.5]], 3: [[1.5, 2.0, 0.8]]}
    modes = {1: ["nearest", "nearest-exact", "linear", "area"], 2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"], 3: ["nearest", "nearest-exact", "trilinear", "area"]}
    for d in (1, 2, 3):
        for mode in modes[d]:
            for aligned in [False, True] if mode.endswith(("linear", "cubic")) else [None]:
                for key, values in (("size", sizes[d]), ("scale_factor", scales[d])):
                    for value in values:
                        # There PyTorch's gradient is not that of its output: it belongs to a factor of 1.
                        if value == [1.05] and mode.startswith("nearest"):
                            continue
                        name = f"{mode}|{int(bool(aligned))}|{key}|" + ",".join(map(str, value))
                        v = tuple(value)
                        yield case(name, lambda x: F.interpolate(x, **{key: v}, mode=mode, align_corners=aligned), [shapes[d]])


def others():
    yield layer("UpsamplingNearest2d", nn.UpsamplingNearest2d(scale_factor=2), [1, 2, 3, 2])
    yield layer("UpsamplingBilinear2d", nn.UpsamplingBilinear2d(size=(5, 4)), [1, 2, 3, 2])
    yield layer("PixelShuffle", nn.PixelShuffle(2), [2, 8, 2, 3])
    yield layer("PixelUnshuffle", nn.PixelUnshuffle(3), [2, 1, 6, 3])
    yield layer("ChannelShuffle", nn.ChannelShuffle(3), [2, 6, 2])
    yield layer("Unfold", nn.Unfold((2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)), [2, 2, 3, 4])
    yield layer("Fold", nn.Fold((3, 4), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)), [2, 12, 9])
    yield layer("Unflatten", nn.Unflatten(1, (2, 3)), [2, 6, 2])


print(
    json.dumps(
        {
            "convolutions": list(convolutions()),
            "pools": list(pools()),
            "fractional": list(fractional()),
            "borders": list(borders()),
            "resampling": list(resampling()),
            "others": list(others()),
        }
    )
)
