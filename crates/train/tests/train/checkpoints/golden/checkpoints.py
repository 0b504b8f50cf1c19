"""What Python makes of a checkpoint: reads `run.safetensors`, checks what it finds, and writes it again.

Run in this folder: python checkpoints.py, which writes resaved.safetensors. Needs torch and safetensors.
"""

import json

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

tensors = load_file("run.safetensors")
model = torch.nn.ModuleDict({"hidden": torch.nn.Linear(3, 2), "norm": torch.nn.Module()})
model["scale"] = torch.nn.Module()
model["scale"].g = torch.nn.Parameter(torch.ones(()))
model["norm"].register_buffer("running_mean", torch.zeros(1, 2))
model["norm"].register_buffer("num_batches_tracked", torch.tensor(0))
own = {
    name.removeprefix("model.").removeprefix("buffers."): tensor
    for name, tensor in tensors.items()
    if name.startswith(("model.", "buffers."))
}
model.load_state_dict(own, strict=True)
assert model["norm"].num_batches_tracked.item() == -5
assert torch.equal(model["norm"].running_mean, torch.full((1, 2), 0.1))
assert tensors["optimizer.m"].shape == (9,)

with safe_open("run.safetensors", "pt") as file:
    metadata = file.metadata()
assert metadata["wengert.checkpoint"] == "1"
state = json.loads(metadata["wengert.state"])
assert state["scalars"]["step"] == {"Count": 1200}
assert state["children"]["optimizer"]["kind"] == "adam"

save_file(tensors, "resaved.safetensors", metadata=metadata)
print("all as it should be:", ", ".join(sorted(tensors)))
