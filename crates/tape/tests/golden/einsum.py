"""Writes einsum.json: 300 random equations and NumPy's results. The operands come of a formula that the test has, too.

    python einsum.py        (needs numpy)
"""

import json
import pathlib
import random

import numpy as np

LETTERS = "abcxyzABZ"


def numbers(shape, salt):
    i = np.arange(int(np.prod(shape, dtype=int)), dtype=np.float64)
    return np.sin(1.3 * i + 0.7 * salt + 0.2).reshape(shape)


def equation(rng):
    """An equation and the shapes of its operands."""
    lengths = {letter: rng.choice([1, 2, 2, 2, 3, 3, 3, 0 if rng.random() < 0.2 else 2]) for letter in LETTERS}
    hidden = [rng.choice([1, 2, 3]) for _ in range(rng.choice([0, 0, 1, 2]))]
    parts, shapes, ellipsis = [], [], False
    for _ in range(rng.choice([1, 1, 2, 2, 2, 3, 3, 4, 5])):
        letters = rng.choices(LETTERS, k=rng.choice([0, 1, 2, 2, 3, 3]))
        # A letter broadcasts in all places of one operand.
        short = {letter for letter in letters if rng.random() < 0.07}
        shape = [1 if letter in short else lengths[letter] for letter in letters]
        if rng.random() < 0.4 or (hidden and rng.random() < 0.4):
            axes = [1 if rng.random() < 0.2 else n for n in hidden[rng.randint(0, len(hidden)):]]
            place = rng.randint(0, len(letters))
            letters[place:place] = ["..."]
            shape[place:place] = axes
            ellipsis = True
        parts.append("".join(letters))
        shapes.append(shape)
    text = ",".join(parts)
    if rng.random() < 0.75:
        used = sorted(set(text) - set(",."))
        output = rng.sample(used, rng.randint(0, min(4, len(used))))
        if ellipsis:
            output.insert(rng.randint(0, len(output)), "...")
        text += "->" + "".join(output)
    if rng.random() < 0.2:
        text = text.replace(",", " , ").replace("->", " -> ")
    return text, shapes


def main():
    rng = random.Random(11)
    cases = []
    while len(cases) < 300:
        text, shapes = equation(rng)
        operands = [numbers(shape, k) for k, shape in enumerate(shapes)]
        value = np.einsum(text, *operands, optimize=False)
        if value.size <= 36:
            data = [float(f"{x:.15g}") for x in np.ravel(value)]
            cases.append({"equation": text, "shapes": shapes, "shape": list(value.shape), "data": data})
    path = pathlib.Path(__file__).with_name("einsum.json")
    path.write_text(json.dumps({"numpy": np.__version__, "cases": cases}, separators=(",", ":")) + "\n")


main()
