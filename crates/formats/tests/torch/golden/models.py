"""Four models, their state dicts and what they give: models.py writes them for the tests to read, and
`models.py check FOLDER` loads what the tests wrote into FOLDER (WENGERT_TORCH_RETURN=FOLDER) and compares the outputs.
"""

import json
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3)
        self.fc1, self.fc2 = nn.Linear(3 * 2 * 2, 5), nn.Linear(5, 4)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.bn2 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(x + self.bn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 4, num_layers=2, bidirectional=True), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=12, dropout=0.0, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.encoder(x))


MODELS = {
    "lenet": (LeNet, (2, 1, 14, 14)), "resnet": (ResNet, (3, 2, 6, 6)),
    "lstm": (Recurrent, (5, 2, 3)), "transformer": (Encoder, (2, 4, 8)),
}


def make():
    torch.manual_seed(0)
    cases = {}
    for name, (model, shape) in MODELS.items():
        model = model()
        if name == "resnet":
            # Statistics that are not those of the start.
            for _ in range(3):
                model(torch.randn(4, *shape[1:]))
        model.eval()
        x = torch.randn(shape)
        with torch.no_grad():
            y = model(x)
        torch.save(model.state_dict(), HERE / f"{name}.pt")
        cases[name] = {"shape": list(shape), "x": x.flatten().tolist(), "y": y.flatten().tolist()}
    (HERE / "models.json").write_text(json.dumps(cases) + "\n")


def check(folder):
    cases = json.loads((HERE / "models.json").read_text())
    for name, (model, shape) in MODELS.items():
        state = torch.load(pathlib.Path(folder) / f"{name}.pt", weights_only=True)
        old = torch.load(HERE / f"{name}.pt", weights_only=True)
        assert {k: v.dtype for k, v in state.items()} == {k: v.dtype for k, v in old.items()}, name
        assert all(torch.equal(state[k], old[k]) for k in old), name
        assert all(v == state._metadata[k] for k, v in old._metadata.items() if k in state._metadata), name
        model = model().eval()
        model.load_state_dict(state)
        with torch.no_grad():
            y = model(torch.tensor(cases[name]["x"]).reshape(shape))
        assert (y.flatten() - torch.tensor(cases[name]["y"])).abs().max() < 1e-6, name
        print(name, "is the same")


if sys.argv[1:2] == ["check"]:
    check(sys.argv[2])
else:
    make()
