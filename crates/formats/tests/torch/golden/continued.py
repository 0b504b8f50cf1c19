"""Shows that PyTorch goes on from written_*.pt, which the tests write with WENGERT_WRITE_GOLDEN=1 (only two of
them are kept): `python continued.py`.

Each has the parameters and the optimiser of a run that went on here from optimizer_*.pt, and under `after` what five more steps made of
them here, with the gradients of that file from the last to the first.

With `python continued.py FOLDER`, the runs of that folder of `optimizers.py` go on from *.back, where they came half of the way here.
"""

import pathlib
import sys

import torch

from optimizers import CASES, HERE, METHODS, Model, flat, step

if len(sys.argv) > 1:
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.back"))
    for path in paths:
        saved, first = torch.load(path, weights_only=True), torch.load(path.with_suffix(".pt"), weights_only=True)
        dtype, settings = first["gradients"].dtype, first["optimizer"]["param_groups"][0]
        torch.set_default_dtype(torch.float64 if first["method"] == "nadam" else torch.float32)
        model = Model(dtype)
        model.load_state_dict(saved["model"])
        optimizer = METHODS[first["method"]](model.parameters(), lr=1.0)
        optimizer.load_state_dict(saved["optimizer"])
        # What says how it is computed, and the names, may be others.
        found = optimizer.param_groups[0]
        for name in settings.keys() - {"params", "param_names", "foreach", "fused"}:
            assert found[name] == settings[name], (path, name, found[name], settings[name])
        for gradient in first["gradients"][saved["steps"]:]:
            step(model, optimizer, gradient)
        error = ((flat(model) - first["after"]).abs() / first["after"].abs().clamp(min=1)).max().item()
        assert error < (1e-5 if dtype == torch.float32 else 1e-11), (path, first["method"], error)
    assert paths, "the test has written nothing"
    print(len(paths), "runs go on")
    sys.exit()

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
