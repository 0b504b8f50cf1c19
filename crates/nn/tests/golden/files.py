"""Writes files of the format safetensors, as the package of that name does, for the scripts beside it."""

import json
import struct

NAMES = {"float64": "F64", "float32": "F32", "int64": "I64"}


def save(tensors, path, metadata=None):
    """The length of the header, the header, the numbers of the tensors."""
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in tensors.items():
        numbers = tensor.numpy().tobytes()
        offsets = [len(data), len(data) + len(numbers)]
        kind = NAMES[str(tensor.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
        data += numbers
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
