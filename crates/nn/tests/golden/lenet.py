"""A LeNet with few channels as PyTorch saves it, in single precision, and what it gives for two images.

Run in this folder: python lenet.py > lenet.json, which also writes lenet.safetensors.
"""

import json

import torch
import torch.nn.functional as F
from torch import nn

from files import save


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 5, padding=2)
        self.conv2 = nn.Conv2d(2, 3, 5)
        self.fc1 = nn.Linear(3 * 5 * 5, 12)
        self.fc2 = nn.Linear(12, 8)
        self.fc3 = nn.Linear(8, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


def pack(t):
    return {"shape": list(t.shape), "values": t.detach().reshape(-1).tolist()}


torch.manual_seed(0)
model = LeNet()
save(model.state_dict(), "lenet.safetensors", {"format": "pt"})
# With the numbers of the file, in double precision.
model.double()
images = torch.sin(torch.arange(2 * 28 * 28, dtype=torch.float64) ** 2 * 0.37).reshape(2, 1, 28, 28).requires_grad_(True)
labels = torch.tensor([3, 8])
output = model(images)
inputs = [images] + list(model.parameters())
grads = torch.autograd.grad(F.cross_entropy(output, labels), inputs)
case = {
    "name": "lenet",
    "names": [n for n, _ in model.named_parameters()],
    "labels": labels.tolist(),
    "output": pack(output),
    "loss": F.cross_entropy(output, labels).item(),
    # Of the images' gradient, every seventh number.
    "of_images": grads[0].reshape(-1)[::7].tolist(),
    "grads": [pack(g) for g in grads[1:]],
}
print(json.dumps({"lenet": [case]}))
