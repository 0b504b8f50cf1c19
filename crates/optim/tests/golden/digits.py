"""Writes digits.u8: scikit-learn's digits (UCI, optical recognition of handwritten digits), 1797 rows of 64 pixels in
0..=16 and the label, one byte each.

Run with scikit-learn's source file at hand:  python digits.py PATH/sklearn/datasets/data/digits.csv.gz
"""

import gzip
import pathlib
import sys

import numpy as np

rows = np.loadtxt(gzip.open(sys.argv[1]), delimiter=",").astype(np.uint8)
assert rows.shape == (1797, 65) and rows[:, :64].max() == 16 and rows[:, 64].max() == 9
pathlib.Path(__file__).with_name("digits.u8").write_bytes(rows.tobytes())
