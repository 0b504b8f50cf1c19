"""Random state dicts, for `differential.rs` to read and to write again.

    python dicts.py FOLDER COUNT [SEED]     # with torch 2.15; then the test with WENGERT_TORCH_DICTS=FOLDER
    python dicts.py FOLDER                  # compares what the test wrote

Each has tensors of all types as views of shared storages, under names and in containers of all kinds, written by one of the formats and
protocols, and as archives of NumPy and safetensors; and JSON beside it: whether PyTorch reads
it as weights alone, and a list of [name, dtype, shape, bytes as hex, values as text].
"""

import json
import pathlib
import random
import sys
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import torch
from safetensors.torch import load_file, save_file

TYPES = {
    "float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint8": "U8", "bool": "BOOL", "uint16": "U16", "uint32": "U32", "uint64": "U64", "complex64": "C64", "complex128": "C128",
    "complex32": "C32", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0",
}
NAMES = {getattr(torch, name): short for name, short in TYPES.items()}
OLD = ("F32", "F64", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL", "C64", "C128")
PIECES = ["w", "weight", "0", "12", "a b", "π", "层", "🙂", "", "x\ny", "tab\t", "nul\0", "quote\"'", "\\", "long" * 70, "Ω̈", "A", "%s", "../up", "/"]


def storage(chance, dtype):
    """A storage of random bits, of numbers mostly."""
    count = chance.choice([0, 1, 2, 7, 30, 30, 200])
    if dtype == torch.bool:
        return torch.tensor([chance.random() < 0.5 for _ in range(count)], dtype=torch.bool)
    # Zeros, infinities, NaN and the smallest are of few bits.
    kinds = [lambda: chance.getrandbits(8), lambda: chance.choice([0, 0, 0x80, 0xFF, 0x7F, 0x7C, 0xFC, 1, 0x3F])]
    kind = chance.choice(kinds)
    width = torch.empty(0, dtype=dtype).element_size()
    return torch.tensor([kind() for _ in range(count * width)], dtype=torch.uint8).view(dtype)


def view(chance, base):
    """Any view of a storage: of any offset and strides, also of strides 0, without axes or elements."""
    count = base.numel()
    if chance.random() < 0.2:
        return base
    shape = [chance.choice([0, 1, 1, 2, 3, 3, 4, 5]) for _ in range(chance.randrange(5))]
    strides = [chance.choice([0, 1, 1, 2, 3, 5, 12]) for _ in shape]
    offset = chance.randrange(count + 1)
    if 0 not in shape:
        while shape and offset + sum((n - 1) * s for n, s in zip(shape, strides)) >= count:
            at = chance.randrange(len(shape))
            shape.pop(at), strides.pop(at)
        offset = min(offset, count - 1)
    if not shape and count == 0:
        return base
    return torch.as_strided(base, shape, strides, max(offset, 0))


def tensor(chance, bases, types):
    if bases and chance.random() < 0.4:
        base = chance.choice(bases)
    else:
        base = storage(chance, chance.choice(types))
        bases.append(base)
    x = view(chance, base)
    differentiable = x.dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128)
    kind = chance.random()
    if kind < 0.15:
        x = torch.nn.Parameter(x, requires_grad=differentiable and chance.random() < 0.7)
        if chance.random() < 0.3:
            x.tag = chance.choice(["text", 3, {"a": [1]}])
    elif kind < 0.2 and differentiable:
        x = x.detach().requires_grad_(True)
    elif kind < 0.25:
        x = x.view(x.shape) if x.numel() else x
        x.tag = (1, 2.5)
    elif kind < 0.3:
        x = torch.nn.Buffer(x)
    return x


def plain(chance, depth=2):
    """What is no tensor."""
    makers = [
        lambda: None, lambda: True, lambda: chance.randrange(-300, 300), lambda: chance.randrange(-(2**40), 2**40), lambda: 2**63 + 5,
        lambda: -(2**63), lambda: float("nan"), lambda: chance.gauss(0, 1), lambda: float("-inf"), lambda: chance.choice(PIECES),
        lambda: b"\0\xff" * chance.randrange(200), lambda: bytearray(b"xy"), lambda: 1 - 2j, lambda: torch.Size([2, 0]),
        lambda: torch.float16, lambda: torch.device("cuda", 1), lambda: torch.device("cpu"), lambda: torch.strided, lambda: {1, "a"},
        lambda: (), lambda: [], lambda: {}, lambda: Counter("abca"),
    ]
    if depth:
        makers += [
            lambda: [plain(chance, depth - 1) for _ in range(chance.randrange(5))],
            lambda: tuple(plain(chance, depth - 1) for _ in range(chance.randrange(5))),
            lambda: {chance.choice(["k", 1, 2.5, (1, 2), b"b", None, True]): plain(chance, depth - 1) for _ in range(chance.randrange(4))},
        ]
    return chance.choice(makers)()


def name(chance):
    return ".".join(chance.choice(PIECES) + chance.choice(["", str(chance.randrange(100))]) for _ in range(chance.randrange(1, 4)))


def dict_of(chance, bases, types, depth):
    of = chance.choice([dict, OrderedDict])()
    for _ in range(chance.randrange(8)):
        key = chance.choice([name(chance)] * 6 + [chance.randrange(-5, 300)])
        kind = chance.random()
        if kind < 0.6:
            of[key] = tensor(chance, bases, types)
        elif kind < 0.75 and depth:
            of[key] = dict_of(chance, bases, types, depth - 1)
        elif kind < 0.8:
            of[key] = [tensor(chance, bases, types), (tensor(chance, bases, types),)]
        else:
            of[key] = plain(chance)
        if kind > 0.97:
            of[chance.choice([2.5, None, (1,), True])] = tensor(chance, bases, types)
    if isinstance(of, OrderedDict) and chance.random() < 0.4:
        of._metadata = OrderedDict({"": {"version": 1}, "a": {"version": 2}})
    return of


def entries(of, prefix=""):
    """The tensors of dicts by their dotted names: those of texts and whole numbers."""
    for key, value in of.items():
        if type(key) not in (str, int):
            continue
        if isinstance(value, torch.Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, dict):
            yield from entries(value, f"{prefix}{key}.")


def packed(x):
    """The numbers in their order, with nothing between them."""
    return torch.empty(x.shape, dtype=x.dtype).copy_(x.detach()).flatten()


def raw(x):
    x = packed(x)
    return bytes(x.view(torch.uint8).tolist()) if x.numel() else b""


def values(x):
    """Exactly, as text; none of numbers that are complex."""
    x = packed(x)
    if x.is_complex():
        return None
    if x.dtype.is_floating_point:
        return [repr(v) for v in x.double().tolist()]
    return [str(int(v)) for v in x.tolist()]


def others(chance, path, found):
    """The same tensors as arrays of NumPy in any order, and in several safetensors files, as far as these have their types."""
    arrays = {}
    for name, x in found:
        if NAMES[x.dtype] in ("BF16", "C32") or NAMES[x.dtype].startswith("F8"):
            continue
        array = x.detach().numpy()
        if array.ndim and chance.random() < 0.3:
            array = np.asfortranarray(array)
        if chance.random() < 0.3:
            array = array.astype(array.dtype.newbyteorder(">"))
        arrays[name] = array
    # Not as keywords, of which `file` is one already.
    with zipfile.ZipFile(path.with_suffix(".npz"), "w", chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=chance.random() < 0.5) as file:
                np.lib.format.write_array(file, array, version=chance.choice([None, (2, 0), (3, 0)]))
    folder = path.with_suffix(".shards")
    folder.mkdir(exist_ok=True)
    shards, places = [{} for _ in range(chance.randrange(1, 4))], {}
    for name, x in found:
        at = chance.randrange(len(shards))
        if NAMES[x.dtype] not in ("C128", "C32"):
            shards[at][name] = packed(x).reshape(x.shape)
            places[name] = f"part-{at}.safetensors"
    for i, shard in enumerate(shards):
        save_file(shard, folder / f"part-{i}.safetensors", metadata=chance.choice([None, {"format": "pt", "π": "层"}]))
    total = sum(x.nbytes for shard in shards for x in shard.values())
    index = {"metadata": chance.choice([{"total_size": total}, {}]), "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, ensure_ascii=chance.random() < 0.5))


def make(folder, count, seed):
    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for i in range(count):
        chance = random.Random(f"{seed} {i}")
        modern = chance.random() < 0.6
        # Older files have no storages of some.
        types = [dtype for dtype in NAMES if modern or NAMES[dtype] in OLD]
        of = dict_of(chance, [], types, 2)
        found = list(entries(of))
        if len({n for n, _ in found}) < len(found):
            continue
        torch.serialization.set_crc32_options(chance.random() < 0.8)
        path = folder / f"{i:05}.pt"
        try:
            torch.save(of, path, pickle_protocol=chance.choice([2, 2, 2, 3, 4, 5]), _use_new_zipfile_serialization=modern)
        except Exception as error:
            print(f"{i}: not written:", str(error).split("\n")[0][:120])
            path.unlink(missing_ok=True)
            continue
        try:
            torch.load(path, weights_only=True)
            alone = True
        except Exception as error:
            # What is none of weights alone may be refused here, too.
            told = " ".join(str(error).split("WeightsUnpickler error:")[-1].split())
            print(f"{i}: not of weights alone:", told[:150])
            alone = False
        made += 1
        expected = [[n, NAMES[x.dtype], list(x.shape), raw(x).hex(), values(x)] for n, x in found]
        path.with_suffix(".json").write_text(json.dumps([alone, expected]) + "\n")
        others(chance, path, [(n, x) for n, x in found if n and "\0" not in n])
    print(made, "files")


def same(found, name, dtype, shape, hexed):
    if isinstance(found, np.ndarray):
        assert found.shape == tuple(shape), (name, found.shape, shape)
        assert np.ascontiguousarray(found).tobytes().hex() == hexed, (name, found)
        return
    assert list(found.shape) == shape and NAMES[found.dtype] == dtype, (name, found.shape, found.dtype)
    assert raw(found).hex() == hexed, (name, found)


def compare(folder):
    """What was written of the tensors whose types are written."""
    count = 0

    def listed(name):
        return json.loads((folder / f"{name.split('.')[0]}.json").read_text())[1]

    for path in sorted(folder.glob("*.back.pt")):
        expected = listed(path.name)
        read = torch.load(path, weights_only=True)
        kept = [one for one in expected if one[0] in read]
        assert list(read) == [one[0] for one in kept], path
        for name, dtype, shape, hexed, _ in kept:
            same(read[name], name, dtype, shape, hexed)
            count += 1
        assert {one[1] for one in expected if one[0] not in read} <= set(TYPES.values()) - {"F32", "F64", "I64"}, path
    for path in sorted(folder.glob("*.back.npz")):
        expected = {one[0]: one for one in listed(path.name)}
        with np.load(path) as read:
            assert len(read.files) == len(set(read.files)), path
            for key in read.files:
                name, dtype, shape, hexed, _ = expected[key]
                same(read[key], name, dtype, shape, hexed)
                count += 1
    for index in sorted(folder.glob("*.back/model.safetensors.index.json")):
        expected = {one[0]: one for one in listed(index.parent.name)}
        for name, file in json.loads(index.read_text())["weight_map"].items():
            _, dtype, shape, hexed, _ = expected[name]
            same(load_file(index.parent / file)[name], name, dtype, shape, hexed)
            count += 1
    assert count, "the test has written nothing"
    print(count, "tensors are the same")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) > 2:
        make(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "0")
    else:
        compare(pathlib.Path(sys.argv[1]))
