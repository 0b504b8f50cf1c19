"""Exports small networks of many kinds by both of PyTorch's exporters, for `tests/golden_models` to read.

Run as `python scripts/zoo.py FOLDER [PATTERN [KINDS]]`, where KINDS are such as `script_11,dynamo_18`, with torch 2.15 and onnx 1.23, and then the test with WENGERT_ONNX_ZOO=FOLDER. Each
file is a case in the form that `golden.py` describes, with gradients and without products. Numbers are those of PyTorch in
double precision, of the weights in single precision.
"""
import fnmatch
import io
import logging
import pathlib
import sys
import traceback
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from golden import by_onnxruntime, case, tensor
from zoo_models import MODELS, Fn

KINDS = "script_11,script_13,script_17,dynamo_18,dynamo_21"
# As the exporters are, initialisers are folded into others, and so only the gradient by the input can be compared; and without that.
UNFOLDED = ("script_17", "dynamo_21")


def doubled(value):
    return value.double() if torch.is_tensor(value) and value.is_floating_point() else value


def flat(outputs):
    if torch.is_tensor(outputs):
        return [outputs]
    return [t for one in outputs for t in flat(one)]


def numbers(model, inputs, exported, unfolded):
    """Outputs, and gradients of the sum of their squares by the first input and, if nothing is folded, by the parameters of the file."""
    exact = model.double()
    inputs = [doubled(x) for x in inputs]
    point = inputs[0]
    named = list(exact.named_parameters())
    if point.is_floating_point():
        point = point.detach().clone().requires_grad_(True)
        named.insert(0, ("x0", point))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        outputs = flat(exact(point, *inputs[1:]))
    floats = [y for y in outputs if y.is_floating_point() and y.requires_grad]
    grads = []
    if floats:
        loss = sum((y**2).sum() for y in floats)
        grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    kept = {i.name: numpy_helper.to_array(i) for i in exported.graph.initializer}
    uses = [x for n in exported.graph.node for x in n.input]
    same = lambda n, p: n == "x0" or (unfolded and n in uses and n in kept and np.array_equal(kept[n], p.detach().float().numpy()))
    grads = [tensor(g.numpy(), n) for (n, p), g in zip(named, grads) if g is not None and same(n, p)]
    outputs = [y.detach().numpy() for y in outputs]
    # What an exporter has wrong is not to be had right here.
    found = by_onnxruntime(exported, [x.float().numpy() if x.is_floating_point() else x.numpy() for x in [point.detach(), *inputs[1:]]])
    if found is not None and not all(np.allclose(a, b, 1e-3, 1e-3, equal_nan=True) for a, b in zip(found, outputs)):
        print("onnxruntime gives other numbers than PyTorch:", end=" ")
        return [tensor(y) for y in found], []
    return [tensor(y) for y in outputs], grads


def export(model, inputs, kind, opset, dynamic):
    file = io.BytesIO()
    names = [f"x{i}" for i in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unfolded = f"{kind}_{opset}" in UNFOLDED
        if kind == "dynamo":
            shapes = None
            if dynamic:
                shapes = tuple({a: torch.export.Dim.DYNAMIC for a in axes} for axes in dynamic)
            program = torch.onnx.export(
                model, tuple(inputs), dynamo=True, opset_version=opset, input_names=names, dynamic_shapes=shapes, verbose=False, optimize=not unfolded
            )
            program.save(file)
        else:
            axes = {n: {a: f"{n}_{a}" for a in axes} for n, axes in zip(names, dynamic)} if dynamic else None
            torch.onnx.export(
                model, tuple(inputs), file, dynamo=False, opset_version=opset, input_names=names, dynamic_axes=axes, do_constant_folding=not unfolded
            )
    return file.getvalue()


class Only(torch.nn.Module):
    """One of several outputs."""

    def __init__(self, model, i):
        super().__init__()
        self.model, self.i = model, i

    def forward(self, *inputs):
        return flat(self.model(*inputs))[self.i]


def prepared(make):
    torch.manual_seed(0)
    model = make()
    for p in model.parameters():
        p.data += 0.1 * torch.randn(p.shape)
    for n, b in model.named_buffers():
        if n.endswith("running_mean"):
            b.uniform_(-1, 1)
        if n.endswith("running_var"):
            b.uniform_(0.5, 2)
    return model.eval()


def write(folder, name, model, inputs, more, kind, opset):
    """Writes the cases of a model, and says whether it could be exported."""
    full = f"{name}_{kind}_{opset}"
    given = inputs()
    try:
        data = export(model, given, kind, int(opset), more.get("dynamic"))
        exported = onnx.load_from_string(data)
    except Exception as error:
        print(f"{full}: not exported:", str(error).strip().split("\n")[0][:150], flush=True)
        if "-v" in sys.argv:
            traceback.print_exc()
        return False
    for i, given in enumerate([given] + ([more["again"]()] if "again" in more else [])):
        try:
            outputs, grads = numbers(model, given, exported, f"{kind}_{opset}" in UNFOLDED)
        except Exception as error:
            print(f"{full}: no numbers:", str(error).strip().split("\n")[0][:150], flush=True)
            return True
        finally:
            model.float()
        to = full + ("_again" if i else "")
        inputs_ = [tensor(x.numpy()) for x in given]
        (folder / f"{to}.bin").write_bytes(case(to, data, inputs_, outputs, grads, []))
        print(to, len(data), len(grads), flush=True)
    return True


def main(folder, pattern="*", kinds=KINDS):
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    for name, (make, inputs, more) in MODELS.items():
        if not fnmatch.fnmatch(name, pattern):
            continue
        for kind, opset in (one.split("_") for one in kinds.split(",")):
            if kind in more.get("not", ()):
                continue
            model = prepared(make)
            if write(folder, name, model, inputs, more, kind, opset) or not isinstance(model, Fn):
                continue
            # Each of the outputs alone, as one may be what the exporter cannot do.
            count = len(flat(model(*inputs())))
            for i in range(count if count > 1 else 0):
                write(folder, f"{name}.{i}", Only(prepared(make), i), inputs, more, kind, opset)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "-v"]
    main(pathlib.Path(arguments[0]), *arguments[1:])
