"""Shows that PyTorch goes on from written_*.pt, which the tests write with WENGERT_WRITE_GOLDEN=1 (only two of
them are kept): `python continued.py`.

Each has the parameters and the optimiser of a run that went on here from optimizer_*.pt, and under `after` what five more steps made of
them here, with the gradients of that file from the last to the first.
"""

import torch

from optimizers import CASES, HERE, Model, flat, step

for path in sorted(HERE.glob("written_*.pt")):
    case = path.stem.removeprefix("written_")
    method, saved = CASES[case][0], torch.load(path, weights_only=True)
    first = torch.load(HERE / f"optimizer_{case}.pt", weights_only=True)
    dtype = first["gradients"].dtype
    model = Model(dtype)
    model.load_state_dict(saved["model"])
    optimizer = method(model.parameters(), lr=1.0)
    # With all settings, the learning rate too.
    optimizer.load_state_dict(saved["optimizer"])
    assert optimizer.param_groups[0]["lr"] != 1.0
    assert set(saved["optimizer"]["param_groups"][0]) == set(method(model.parameters()).param_groups[0]), case
    for gradient in first["gradients"].flip(0):
        step(model, optimizer, gradient)
    after = torch.tensor([float(x) for x in saved["after"].split()], dtype=torch.float64)
    error = (flat(model).double() - after).abs().max().item()
    limit = 1e-6 if dtype == torch.float32 else 1e-12
    assert error < limit, (case, error)
    print(f"{case}: {error:.1e}")
