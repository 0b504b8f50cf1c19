"""Shows that PyTorch reads written.pt, which the tests write with WENGERT_WRITE_GOLDEN=1: `python returned.py`."""

import pathlib
import zipfile

import torch

path = pathlib.Path(__file__).parent / "written.pt"
assert zipfile.ZipFile(path).testzip() is None
state = torch.load(path, weights_only=True)
torch.load(path, weights_only=True, mmap=True)
assert type(state).__name__ == "OrderedDict"
assert [tuple(x.shape) for x in state.values()] == [(2, 3), (2,), (2,), (2,), (2, 0), (), (2,), (2,), ()]
assert all(x.dtype == torch.float64 for k, x in state.items() if not k.endswith("tracked"))
assert state["body.1.num_batches_tracked"].dtype == torch.int64
assert state._metadata["body.1"] == {"version": 2} and state._metadata["body.0"] == {"version": 1}


class Body(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
        self.none = torch.nn.Parameter(torch.zeros(2, 0).double())
        self.scale = torch.nn.Parameter(torch.zeros(()).double())


Body().load_state_dict(state)
print("PyTorch reads it")
