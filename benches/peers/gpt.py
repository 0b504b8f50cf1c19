"""The example `gpt` in PyTorch: the same text, alphabet, sizes, batches, dropout and schedule; prints the same figures.

Run in the root of the repository: python benches/peers/gpt.py [--steps 2000] [--text FILE]
"""

import argparse
import math
import pathlib
import time

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 16


class Block(nn.Module):
    """`nn.TransformerEncoderLayer` with the normalisation first and GELU, but for the queries and keys, which are turned by
    their positions."""

    def __init__(self, width, heads, dropout=0.1):
        super().__init__()
        self.heads, self.p = heads, dropout
        # Starts as PyTorch's own does: Xavier's for the projections, no biases.
        self.self_attn = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        a = self.self_attn
        projected = F.linear(self.norm1(x), a.in_proj_weight, a.in_proj_bias)
        q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in projected.chunk(3, -1))
        q, k = turned(q, cos, sin), turned(k, cos, sin)
        p = self.p if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=p)
        x = x + self.dropout(a.out_proj(y.transpose(1, 2).reshape(batch, length, width)))
        hidden = self.dropout(F.gelu(self.linear1(self.norm2(x))))
        return x + self.dropout(self.linear2(hidden))


def turned(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Gpt(nn.Module):
    def __init__(self, characters, width, layers, context, heads=4, dropout=0.1):
        super().__init__()
        self.characters = nn.Embedding(characters, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, characters)
        half = width // heads // 2
        angles = torch.arange(context)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, text):
        x = self.characters(text)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return self.out(self.norm(x))


def text(file):
    if file:
        return pathlib.Path(file).read_bytes()
    root = pathlib.Path(__file__).resolve().parents[2]
    pages = [page for folder in ["", "docs", "docs/guide"] for page in (root / folder).glob("*.md")]
    # By bytes, as the example sorts them: capitals first.
    return b"".join(page.read_bytes() for page in sorted(pages))


def loss(model, windows):
    return F.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())


@torch.no_grad()
def bits(model, held_out, context):
    model.eval()
    starts = torch.arange(0, len(held_out) - (context + 1), context)
    total = 0.0
    for rows in starts.split(BATCH):
        windows = held_out[rows[:, None] + torch.arange(context + 1)]
        total += loss(model, windows).item() * len(rows)
    model.train()
    return total / len(starts) / math.log(2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--text")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    _, everything = torch.unique(torch.tensor(list(text(a.text))), return_inverse=True)
    cut = len(everything) - len(everything) // 10
    train, held_out = everything[:cut], everything[cut:]
    kinds = int(everything.max()) + 1
    model = Gpt(kinds, a.width, a.layers, a.context)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{len(everything)} characters of {kinds} kinds, {parameters} parameters", flush=True)
    adam = torch.optim.AdamW(model.parameters(), a.lr, weight_decay=1e-2)
    begin = time.time()
    for step in range(a.steps):
        starts = torch.randint(len(train) - (a.context + 1), (BATCH,))
        windows = train[starts[:, None] + torch.arange(a.context + 1)]
        for group in adam.param_groups:
            group["lr"] = a.lr * 0.5 * (1 + math.cos(math.pi * step / a.steps))
        of_batch = loss(model, windows)
        adam.zero_grad()
        of_batch.backward()
        adam.step()
        if step % max(a.steps // 10, 1) == 0:
            per_character = of_batch.item() / math.log(2)
            print(f"step {step:5}: {per_character:.3f} bits per character, {time.time() - begin:.0f} s", flush=True)
    print(f"the last tenth: {bits(model, held_out, a.context):.3f} bits per character")


if __name__ == "__main__":
    main()
