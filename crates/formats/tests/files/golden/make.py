"""Arrays of NumPy and models in several safetensors files, as their own writers make them.

Run in this folder: python make.py (NumPy, safetensors).
"""

import io
import json
import struct
import zipfile

import numpy as np
from numpy.lib import format as npy
from safetensors.numpy import save_file

arrays = {}


def add(name, array, version=None):
    with open(f"{name}.npy", "wb") as file:
        npy.write_array(file, array, version=version)
    flat = array.astype(np.float64).ravel()  # in row-major order
    arrays[name] = {"shape": list(array.shape), "values": [repr(x) for x in flat.tolist()]}


counts = np.arange(24).reshape(2, 3, 4)
for dtype in ["b1", "i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
    code = dtype.replace("<", "le_").replace(">", "be_")
    values = counts % 2 if dtype == "b1" else counts - (0 if "u" in dtype else 5)
    add(f"plain_{code}", values.astype(dtype))
for order in ["<f4", ">f8", "u1"]:
    code = order.replace("<", "le_").replace(">", "be_")
    add(f"fortran_{code}", np.asfortranarray(counts.astype(order)))
add("fortran_column", np.asfortranarray(np.arange(3.0).reshape(1, 3, 1)))
add("fortran_empty", np.asfortranarray(np.zeros((3, 0, 2))))
add("version_2", counts.astype("<f4"), version=(2, 0))
add("version_3", counts.astype("<f4"), version=(3, 0))
add("scalar", np.array(2.5))
add("empty", np.zeros((0,), "<f4"))
add("vector", np.array([1.0, -0.0, np.inf, -np.inf, 5e-324]))
add("transposed", counts.astype("<f8").transpose(2, 0, 1))
add("reversed", np.arange(6.0)[::-2])
with open("arrays.json", "w") as file:
    json.dump(arrays, file, indent=1)

# What is refused by the name of its type.
for name, array in {
    "object": np.array([{"a": 1}], dtype=object),
    "structured": np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b: ']", "<f8", (2,))]),
    "text": np.array(["abc"]),
    "bytes": np.array([b"abc"]),
    "date": np.array(["2020-01-01"], dtype="M8[D]"),
    "long": np.zeros(2, np.longdouble),
    "complex": np.zeros(2, np.complex64),
}.items():
    np.save(f"refused_{name}.npy", array, allow_pickle=True)

# As Python 2 wrote long integers, and a dict in another order.
header = b"{'shape': (2L, 3L), 'fortran_order': False, 'descr': '<f4'}\n"
with open("python2.npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + np.arange(6, dtype="<f4").tobytes())

model = {
    "body.weight": (np.arange(6, dtype=np.float32) / 8).reshape(2, 3),
    "body.bias": np.array([0.5, -0.5]),
    "norm.running_mean": np.asfortranarray(np.array([[1.0, 2.0]], np.float16).T[:, 0]),
    "norm.num_batches_tracked": np.array(7),
}
np.savez("stored.npz", **model)
np.savez_compressed("compressed.npz", **model)
with zipfile.ZipFile("mixed.npz", "w") as archive:
    archive.writestr("notes.txt", "no array")
    for name, array in model.items():
        data = io.BytesIO()
        np.save(data, array)
        method = zipfile.ZIP_DEFLATED if "weight" in name else zipfile.ZIP_STORED
        archive.writestr(f"{name}.npy", data.getvalue(), method)
    data = io.BytesIO()
    np.save(data, np.array([{"lr": 0.1}], dtype=object), allow_pickle=True)
    archive.writestr("config.npy", data.getvalue())

parts = [["body.weight"], ["body.bias", "norm.num_batches_tracked"], ["norm.running_mean"]]
where = {}
for i, names in enumerate(parts, 1):
    file = f"model-{i:05}-of-00003.safetensors"
    save_file({name: np.ascontiguousarray(model[name]) for name in names}, file)
    where |= {name: file for name in names}
index = {"metadata": {"total_size": sum(a.nbytes for a in model.values())}, "weight_map": dict(sorted(where.items()))}
with open("model.safetensors.index.json", "w") as file:
    json.dump(index, file, indent=2)
