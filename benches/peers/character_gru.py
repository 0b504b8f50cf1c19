"""The example `character_gru` in PyTorch: the same text, sizes, batches and schedule; prints the same figures.

Run in the root of the repository: python benches/peers/character_gru.py [--epochs 20] [--text FILE]
"""

import argparse
import math
import pathlib
import time

import torch
import torch.nn.functional as F
from torch import nn


class Writer(nn.Module):
    def __init__(self, vocabulary, hidden):
        super().__init__()
        width = min(hidden, 64)
        self.embedding = nn.Embedding(vocabulary, width)
        self.gru = nn.GRU(width, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocabulary)

    def forward(self, characters, state=None):
        y, state = self.gru(self.embedding(characters), state)
        return self.out(y), state


def text(file):
    if file:
        return pathlib.Path(file).read_bytes()
    root = pathlib.Path(__file__).resolve().parents[2]
    pages = [page for folder in ["", "docs", "docs/guide"] for page in sorted((root / folder).glob("*.md"))]
    return b"".join(page.read_bytes() for page in pages)


@torch.no_grad()
def bits_per_character(model, tokens, piece=256):
    state, nats, count = None, 0.0, len(tokens) - 1
    for start in range(0, count, piece):
        end = min(start + piece, count)
        logits, state = model(tokens[None, start:end], state)
        nats += F.cross_entropy(logits[0], tokens[start + 1 : end + 1], reduction="sum").item()
    return nats / count / math.log(2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--text")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    everything = torch.tensor(list(text(a.text)))
    cut = len(everything) - round(len(everything) / 10)
    train, held_out = everything[:cut], everything[cut:]
    starts = torch.arange(0, len(train) - a.length, a.length)
    model = Writer(256, a.hidden)
    adam = torch.optim.Adam(model.parameters(), a.lr)
    steps, step, begin = a.epochs * math.ceil(len(starts) / a.batch_size), 0, time.time()
    for epoch in range(a.epochs):
        total, count = 0.0, 0
        for rows in starts[torch.randperm(len(starts))].split(a.batch_size):
            index = rows[:, None] + torch.arange(a.length)
            for group in adam.param_groups:
                group["lr"] = a.lr * 0.5 * (1 + math.cos(math.pi * step / steps))
            logits, _ = model(train[index])
            loss = F.cross_entropy(logits.flatten(0, 1), train[index + 1].flatten())
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            total, count, step = total + loss.item() * index.numel(), count + index.numel(), step + 1
        print(
            f"epoch {epoch + 1:3}: {total / count / math.log(2):.3f} bits per character, "
            f"{bits_per_character(model, held_out):.3f} held out; {time.time() - begin:.1f} s"
        )


main()
