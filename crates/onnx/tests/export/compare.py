"""Runs exported models in onnxruntime and compares with what they are to give.

    WENGERT_ONNX_FILES=/tmp/models cargo test -p wengert-onnx --test export
    python crates/onnx/tests/export/compare.py /tmp/models

Every model is checked by onnx.checker with full shape inference. Double precision is tried as it is, and where onnxruntime
has no such kernel in single precision: constants, inputs and casts are converted. The tolerances are 1e-5 and 1e-10, relative
to the larger of 1 and the number. Written for onnx 1.23 and onnxruntime 1.32; exits with 1 if anything differs.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, checker, numpy_helper

KINDS = {"float": np.float32, "double": np.float64, "index": np.int64, "mask": np.bool_}


def tensor(fields):
    name, kind, shape, numbers = fields
    numbers = numbers.split() if numbers else []
    if kind in ("float", "double"):
        numbers = [float(x) for x in numbers]
    else:
        numbers = [int(x) for x in numbers]
    shape = [int(n) for n in shape.split()] if shape else []
    return name, np.array(numbers, dtype=KINDS[kind]).reshape(shape)


def runs(path):
    found = []
    for line in path.read_text().split("\n"):
        if line == "run":
            found.append(({}, {}))
        elif line:
            role, *fields = line.split("\t")
            name, value = tensor(fields)
            found[-1][role == "output"][name] = value
    return found


def single(model):
    """The model in single precision."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    constants = [a.t for node in graph.node if node.op_type == "Constant" for a in node.attribute]
    for held in [*graph.initializer, *constants]:
        if held.data_type == TensorProto.DOUBLE:
            held.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(held).astype(np.float32), held.name))
    for value in list(graph.input) + list(graph.output):
        if value.type.tensor_type.elem_type == TensorProto.DOUBLE:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.DOUBLE:
                attribute.i = TensorProto.FLOAT
    return copy


def session(model):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def compare(model, cases, tolerance, dtype):
    run = session(model)
    used = {value.name for value in run.get_inputs()}
    worst = 0.0
    for inputs, outputs in cases:
        given = {
            name: value.astype(dtype) if value.dtype.kind == "f" else value
            for name, value in inputs.items()
            if name in used
        }
        for (name, expected), got in zip(outputs.items(), run.run(list(outputs), given)):
            if got.shape != expected.shape:
                return f"{name} has shape {got.shape}, not {expected.shape}", worst
            if expected.dtype.kind != "f":
                if not (got == expected).all():
                    return f"{name} is {got}, not {expected}", worst
                continue
            got, expected = got.astype(np.float64), expected.astype(np.float64)
            same = (got == expected) | (np.isnan(got) & np.isnan(expected))
            with np.errstate(invalid="ignore"):
                error = np.where(same, 0.0, np.abs(got - expected) / np.maximum(1.0, np.abs(expected)))
            error = error.max() if error.size else 0.0
            worst = max(worst, error if error == error else np.inf)
            if not error <= tolerance:
                return f"{name} differs by {error:.2e}: {got.ravel()[:6]}, not {expected.ravel()[:6]}", worst
    return None, worst


def check(path):
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    cases = runs(path.with_suffix(".txt"))
    double = any(value.type.tensor_type.elem_type == TensorProto.DOUBLE for value in model.graph.input)
    if not double:
        return "single", *compare(model, cases, 1e-5, np.float32)
    try:
        return "double", *compare(model, cases, 1e-10, np.float64)
    except Exception as error:  # onnxruntime has classes of its own for each kind of failure
        if "NOT_IMPLEMENTED" not in str(error) and "Type Error" not in str(error):
            raise
    return "in single", *compare(single(model), cases, 1e-5, np.float32)


def main():
    count, failures, worst = Counter(), [], Counter()
    for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
        try:
            precision, failure, error = check(path)
        except Exception as error:
            failures.append(f"{path.stem}: {str(error)[:400]}")
            continue
        count[precision] += 1
        worst[precision] = max(worst[precision], error)
        if failure:
            failures.append(f"{path.stem} ({precision}): {failure}")
    for failure in failures:
        print(failure)
    for precision, number in sorted(count.items()):
        print(f"{number} models in {precision} precision, largest error {worst[precision]:.1e}")
    print(f"{len(failures)} failures")
    sys.exit(bool(failures) or not count)


main()
