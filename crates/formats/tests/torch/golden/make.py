"""Writes the files of PyTorch that the tests read, and what is in them.

    python make.py        # torch 2.15; writes *.pt, *.json and models.json beside this script

Each file has a JSON list of [name, dtype, shape, bytes as hex] of the tensors of its state dict.
"""

import io
import json
import pathlib
import pickle
import struct
import zipfile
from collections import OrderedDict

import torch

HERE = pathlib.Path(__file__).parent
NAMES = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL", torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
    torch.complex64: "C64", torch.complex128: "C128",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
}


def entry(name, x):
    x = x.detach().contiguous().clone()
    raw = bytes(x.flatten().view(torch.uint8).tolist()) if x.numel() else b""
    return [name, NAMES[x.dtype], list(x.shape), raw.hex()]


def expect(name, tensors):
    (HERE / f"{name}.json").write_text(json.dumps([entry(k, v) for k, v in tensors.items()]) + "\n")


def both(name, value, tensors):
    torch.save(value, HERE / f"{name}.pt")
    torch.save(value, HERE / f"{name}_legacy.pt", _use_new_zipfile_serialization=False)
    expect(name, tensors)


def numbers(shape, dtype):
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float32) - 2).to(dtype).reshape(shape)


# Every type, and shapes without axes and without elements.
types = OrderedDict()
for dtype, name in NAMES.items():
    if dtype.is_floating_point or dtype.is_complex or dtype == torch.bool:
        types[name] = numbers((5,), dtype)
    else:
        types[name] = (torch.arange(5) % 3).to(dtype)
types["no_axes"] = torch.tensor(1.5)
types["empty"] = torch.zeros(0)
types["empty_axes"] = torch.zeros(2, 0, 3)
both("types", types, types)

# Views: shared storages, offsets, strides of all kinds.
base = numbers((4, 6), torch.float32)
views = {
    "base": base, "row": base[2], "rows": base[1:3], "column": base[:, 1], "block": base[1:3, 2:5],
    "transposed": base.t(), "steps": base[::2, 1::2], "expanded": base[:1].expand(3, 6),
    "single": torch.ones(1).expand(2, 3), "diagonal": base.diagonal(), "tied": base,
    "permuted": numbers((2, 3, 4), torch.float64).permute(2, 0, 1), "half": numbers((3, 4), torch.float16).t(),
    "parameter": torch.nn.Parameter(torch.ones(2, 2)), "frozen": torch.nn.Parameter(torch.ones(1), requires_grad=False),
}
both("views", views, views)

# More than a thousand tensors, which Python's pickler sets in batches.
many = OrderedDict((f"layers.{i}.w", torch.tensor([float(i)])) for i in range(1003))
torch.save(many, HERE / "many.pt", _use_new_zipfile_serialization=False)

# A checkpoint, with an optimiser's state and plain values.
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
adam = torch.optim.Adam(net.parameters(), lr=0.01)
net(torch.ones(5, 3)).sum().backward()
adam.step()
checkpoint = {
    "epoch": 3, "lr": 0.01, "name": "net", "done": False, "nothing": None, "best": torch.tensor(0.5),
    "model": net.state_dict(), "optimizer": adam.state_dict(), "history": [1.0, 2, (3, "x")], "kinds": {1, 2},
    "raw": b"\x00\xff", "array": bytearray(b"ab"), "dtype": torch.float32, "device": torch.device("cuda", 1),
    "size": torch.Size([2, 3]), "seed": 2**64 - 1, "negative": -(2**40), "z": 1 - 2j,
}
both("checkpoint", checkpoint, net.state_dict())
torch.serialization.set_crc32_options(False)
torch.save(net.state_dict(), HERE / "unsummed.pt")
torch.serialization.set_crc32_options(True)
torch.save({"state_dict": {"model": net.state_dict()}, "ema": net.state_dict()}, HERE / "nested.pt")
torch.save({"generator": net.state_dict(), "discriminator": net.state_dict()}, HERE / "two.pt")
torch.save({"_orig_mod." + k: v for k, v in net.state_dict().items()}, HERE / "compiled.pt")
for protocol in (3, 4, 5):
    torch.save(net.state_dict(), HERE / f"protocol{protocol}.pt", pickle_protocol=protocol)
torch.save(net.state_dict(), HERE / "protocol4_legacy.pt", pickle_protocol=4, _use_new_zipfile_serialization=False)

# Kinds that are not read, beside one that is.
torch.save({
    "sparse": torch.eye(3).to_sparse(), "rows": torch.eye(3).to_sparse_csr(),
    "quantised": torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8),
    "meta": torch.empty(2, 5, device="meta"), "conj": torch.ones(2, dtype=torch.complex64).conj(),
    "negated": torch.ones(2, dtype=torch.complex64).conj().imag, "plain": torch.ones(2),
}, HERE / "foreign.pt")

# What no state dict has.
class Net(torch.nn.Linear):
    pass

Net.__module__ = "models"
import sys, types as _types
sys.modules["models"] = _types.ModuleType("models")
sys.modules["models"].Net = Net
torch.save(Net(1, 1), HERE / "module.pt")
torch.save(Net(1, 1), HERE / "module_legacy.pt", _use_new_zipfile_serialization=False)
torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), HERE / "script.pt")

# Big-endian machines write their own order.
swapped = {"a": numbers((2, 3), torch.float32), "b": numbers((3,), torch.float64).flip(0), "c": numbers((4,), torch.int64),
           "t": numbers((2, 3), torch.float16).t(), "u": numbers((3,), torch.uint8)}
buffer = io.BytesIO()
torch.save(swapped, buffer)
buffer.seek(0)
with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(HERE / "big.pt", "w") as new:
    widths = {f"archive/data/{i}": x.element_size() for i, x in enumerate(swapped.values())}
    for info in old.infolist():
        data = old.read(info)
        if info.filename in widths:
            w = widths[info.filename]
            data = b"".join(data[i:i + w][::-1] for i in range(0, len(data), w))
        if info.filename == "archive/byteorder":
            data = b"big"
        new.writestr(zipfile.ZipInfo(info.filename), data)
expect("big", swapped)
assert all(torch.equal(torch.load(HERE / "big.pt")[k], v) for k, v in swapped.items())

# What Python 2 wrote: SHORT_BINSTRING, an OrderedDict of a list of pairs, longs in the shape.
def short(text):
    return b"U" + bytes([len(text)]) + text.encode()

def long1(n):
    return b"\x8a\x01" + bytes([n])

def py2_tensor(key, kind, count, size, stride):
    tup = lambda xs: b"(" + b"".join(long1(x) for x in xs) + b"t"
    return (b"ctorch._utils\n_rebuild_tensor\n((" + short("storage") + b"ctorch\n" + kind.encode() + b"\n" + short(key)
            + short("cpu") + long1(count) + b"NtQ" + b"K\x00" + tup(size) + tup(stride) + b"tR")

body = b"\x80\x02ccollections\nOrderedDict\n(](](" + short("fc.weight") + py2_tensor("k1", "FloatStorage", 6, [2, 3], [3, 1])
body += b"e](" + short("fc.steps") + py2_tensor("k2", "LongStorage", 1, [1], [1]) + b"eetR."
legacy = pickle.dumps(0x1950a86a20f9469cfc6c, 2) + pickle.dumps(1001, 2)
legacy += b"\x80\x02}(" + short("protocol_version") + b"M\xe9\x03" + short("little_endian") + b"\x88u." + body
legacy += b"\x80\x02](" + short("k2") + short("k1") + b"e."
legacy += struct.pack("<qq", 1, 7) + struct.pack("<q6f", 6, *range(6))
(HERE / "python2.pt").write_bytes(legacy)
python2 = {"fc.weight": torch.arange(6.0).reshape(2, 3), "fc.steps": torch.tensor([7])}
expect("python2", python2)
assert all(torch.equal(torch.load(HERE / "python2.pt", encoding="utf-8")[k], v) for k, v in python2.items())
