"""Writes the models and numbers of tests/golden: run as `python scripts/golden.py` in this crate's folder.

Made with torch 2.15, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32. Each `.bin` is a list of cases. A case is a name, a
model and lists of tensors, each as a length of 4 bytes, little-endian, and the bytes of a `ModelProto` or `TensorProto`.

operators.bin: for each operator that is known, the smallest model that onnx's own test programs have of it, with inputs, and
the outputs of onnxruntime, or of onnx's reference where onnxruntime does not have the operator.

networks.bin: networks exported by torch.onnx, with inputs, PyTorch's outputs y, its gradients of the sum of y² by the
parameters and the first input x, and of that sum's Hessian by x the product with v, where v is 0.1, 0.2 … in x's shape.
"""
import io
import pathlib
import re
import struct
import warnings

import numpy as np
import onnx
import onnx.backend.test.case.node as node_tests
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = HERE / "tests" / "golden"
onnxruntime.set_default_logger_severity(4)


def known_operators():
    """The names in the tables of the operators' families."""
    names = set()
    for path in (HERE / "src" / "import" / "ops").glob("*.rs"):
        text = path.read_text()
        names |= set(re.findall(r'operator\(\s*"(\w+)"', text))
        names |= set(re.findall(r'^\s*"([A-Z]\w+)"(?: \d+)? \|', text, re.M))
    return names | {"If", "Loop", "Scan", "SequenceMap"}


def block(data):
    return struct.pack("<I", len(data)) + data


def case(name, model, *lists):
    data = block(name.encode()) + block(model)
    for tensors in lists:
        data += struct.pack("<I", len(tensors)) + b"".join(block(t.SerializeToString()) for t in tensors)
    return data


def tensor(array, name=""):
    return numpy_helper.from_array(np.asarray(array), name)


def by_onnxruntime(model, inputs):
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        feed = {i.name: x for i, x in zip(session.get_inputs(), inputs)}
        return session.run(None, feed)
    except Exception:
        return None


def own():
    """Operators that onnx's programs test only with types that are not compared."""
    x = np.array([[[-1.5, 0.25, 2.75]]], np.float32)
    cases = [("Cast", [x], dict(to=TensorProto.INT32), TensorProto.INT32), ("GlobalLpPool", [x], dict(p=3), TensorProto.FLOAT)]
    cases.append(("CastLike", [x, np.array([1], np.int64)], {}, TensorProto.INT64))
    made = []
    for op, inputs, attributes, kind in cases:
        names = [f"x{i}" for i in range(len(inputs))]
        infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in zip(names, inputs)]
        out = helper.make_tensor_value_info("y", kind, None)
        graph = helper.make_graph([helper.make_node(op, names, ["y"], **attributes)], op, infos, [out])
        made.append((op, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), inputs, None))
    return made + grids() + boxes() + sequences() + spectra() + maps()


def maps():
    """A graph for each element of a sequence, with those of another and with a tensor for all."""
    x, y = np.arange(4, dtype=np.float32).reshape(2, 2), np.array([0.5, -1.5], np.float32)
    info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    body = helper.make_graph(
        [helper.make_node("Sub", ["a", "b"], ["d"]), helper.make_node("Mul", ["d", "c"], ["p"])], "body", [info("a"), info("b"), info("c")], [info("d"), info("p")]
    )
    nodes = [
        helper.make_node("SequenceConstruct", ["x0", "x1", "x0"], ["s"]),
        helper.make_node("SequenceConstruct", ["x1", "x1", "x1"], ["t"]),
        helper.make_node("SequenceMap", ["s", "t", "x1"], ["ds", "ps"], body=body),
        helper.make_node("SequenceAt", ["ds", "last"], ["d0"]),
        helper.make_node("SequenceAt", ["ps", "first"], ["y"]),
    ]
    places = [tensor(np.array(at, np.int64), name) for name, at in (("first", 0), ("last", 1))]
    graph = helper.make_graph(nodes, "SequenceMap", [info("x0"), info("x1")], [info("d0"), info("y")], places)
    return [("SequenceMap", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), [x, y], None)]


def boxes():
    """RoiAlign in its modes and alignments, with boxes beyond the image and with as many taps as a box needs."""
    random = np.random.default_rng(2)
    x = random.normal(size=(2, 3, 6, 7)).astype(np.float32)
    rois = np.array([[0, 0, 6, 5], [1.3, 0.4, 4.1, 3.9], [-3, 2, 9, 12], [2, 2, 2.1, 2.2]], np.float32)
    inputs = [x, rois, np.array([0, 1, 1, 0], np.int64)]
    infos = [helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for i, a in enumerate(inputs)]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = []
    for opset in (10, 16):
        for mode in ("avg", "max"):
            for ratio in (0, 2):
                attributes = dict(mode=mode, sampling_ratio=ratio, output_height=2, output_width=3, spatial_scale=0.75)
                node = helper.make_node("RoiAlign", ["x0", "x1", "x2"], ["y"], **attributes)
                graph = helper.make_graph([node], "RoiAlign", infos, [out])
                model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
                made.append((f"RoiAlign_{opset}_{mode}_{ratio}", model, inputs, None))
    return made


def spectra():
    """DFT of both forms, of even and odd lengths, cut off and filled up, and back."""
    random = np.random.default_rng(1)
    x, z = [random.normal(size=(2, 6, 3, parts)).astype(np.float32) for parts in (1, 2)]
    made = []
    for opset in (17, 20):
        for i, (given, length, inverse, onesided) in enumerate(
            [(x, None, 0, 1), (x, 5, 0, 1), (x, 8, 0, 0), (z, None, 0, 0), (z, 7, 1, 0), (z, None, 1, 1), (z, 9, 1, 1)]
        ):
            inputs = [given] + ([np.array(length, np.int64)] if length else [])
            names = [f"x{i}" for i in range(len(inputs))]
            attributes = dict(inverse=inverse, onesided=onesided)
            more = []
            if opset == 17:
                attributes["axis"] = 1
            else:
                names = names + [""] * (2 - len(names)) + ["axis"]
                more = [tensor(np.array(1, np.int64), "axis")]
            infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in zip(names, inputs)]
            out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
            graph = helper.make_graph([helper.make_node("DFT", names, ["y"], **attributes)], "DFT", infos, [out], more)
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
            outputs = ReferenceEvaluator(model).run(None, {n: a for n, a in zip(names, inputs)})
            made.append((f"DFT_{opset}_{i}", model, inputs, outputs))
    signal, window = random.normal(size=(2, 20, 1)).astype(np.float32), random.uniform(size=8).astype(np.float32)
    for onesided in (0, 1):
        inputs = [signal, np.array(3, np.int64), window, np.array(8, np.int64)]
        infos = [helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for i, a in enumerate(inputs)]
        node = helper.make_node("STFT", [i.name for i in infos], ["y"], onesided=onesided)
        graph = helper.make_graph([node], "STFT", infos, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        made.append((f"STFT_{onesided}", model, inputs, None))
    return made


def sequences():
    """Values in sequences, between tensors."""
    x = np.arange(10, dtype=np.float32).reshape(5, 2) - 4.5

    def model(name, nodes, inputs, kind=TensorProto.FLOAT):
        names = [f"x{i}" for i in range(len(inputs))]
        infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in zip(names, inputs)]
        graph = helper.make_graph(nodes, name, infos, [helper.make_tensor_value_info("y", kind, None)])
        return (name, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), inputs, None)

    node = helper.make_node
    two, last = np.array(2, np.int64), np.array(-1, np.int64)
    return [
        model("split", [node("SplitToSequence", ["x0", "x1"], ["s"]), node("SequenceAt", ["s", "x2"], ["y"])], [x, two, last]),
        model("split_sizes", [node("SplitToSequence", ["x0", "x1"], ["s"]), node("SequenceAt", ["s", "x2"], ["y"])], [x, np.array([1, 4]), last]),
        model("split_ones", [node("SplitToSequence", ["x0"], ["s"], axis=1, keepdims=0), node("ConcatFromSequence", ["s"], ["y"], axis=0, new_axis=1)], [x]),
        model(
            "sequences",
            [
                node("SequenceEmpty", [], ["none"]),
                node("SequenceInsert", ["none", "x0"], ["one"]),
                node("SequenceConstruct", ["x1", "x0"], ["two"]),
                node("SequenceAt", ["one", "x2"], ["first"]),
                node("SequenceInsert", ["two", "first", "x2"], ["three"]),
                node("SequenceErase", ["three", "x2"], ["s"]),
                node("ConcatFromSequence", ["s"], ["y"], axis=1),
            ],
            [x, x[:, :1], np.array(0, np.int64)],
        ),
        model("length", [node("SplitToSequence", ["x0", "x1"], ["s"]), node("SequenceLength", ["s"], ["y"])], [x, two], TensorProto.INT64),
    ]


def grids():
    """GridSample in all modes, paddings and alignments, of the sets 16 and 20, and AffineGrid."""
    random = np.random.default_rng(0)
    made = []

    def model(name, op, opset, inputs, **attributes):
        names = [f"x{i}" for i in range(len(inputs))]
        infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in zip(names, inputs)]
        out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        graph = helper.make_graph([helper.make_node(op, names, ["y"], **attributes)], op, infos, [out])
        made.append((name, helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9), inputs, None))

    for opset, modes, size, places in [
        (16, ["bilinear", "nearest", "bicubic"], (3, 4), (3, 3)),
        (20, ["linear", "nearest", "cubic"], (3, 4), (3, 3)),
        (20, ["linear", "nearest"], (2, 3, 4), (2, 2, 3)),
    ]:
        x = random.normal(size=(2, 2, *size)).astype(np.float32)
        grid = random.uniform(-1.7, 1.7, size=(2, *places, len(size))).astype(np.float32)
        for mode in modes:
            for padding in ["zeros", "border", "reflection"]:
                for align in [0, 1]:
                    name = f"GridSample_{opset}_{len(size)}_{mode}_{padding}_{align}"
                    model(name, "GridSample", opset, [x, grid], mode=mode, padding_mode=padding, align_corners=align)
    for size in [(2, 3, 3, 4), (2, 3, 2, 3, 4)]:
        axes = len(size) - 2
        theta = random.normal(size=(2, axes, axes + 1)).astype(np.float32)
        for align in [0, 1]:
            model(f"AffineGrid_{axes}_{align}", "AffineGrid", 20, [theta, np.array(size, np.int64)], align_corners=align)
    return made


def operators():
    known, best = known_operators(), {}
    # What is drawn at random cannot be compared, and Upsample and Scatter are no longer in the newest sets.
    for test in node_tests.collect_testcases(None):
        ops = {n.op_type for n in test.model.graph.node}
        if len(ops) != 1 or any(o.domain not in ("", "ai.onnx") for o in test.model.opset_import):
            continue
        (op,) = ops
        if op not in known or not test.data_sets or "16" in test.name:
            continue
        inputs, outputs = test.data_sets[0]
        arrays = [*inputs, *outputs]
        if not all(isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiub" for x in arrays):
            continue
        if any(x.dtype.name not in ("float32", "float64", "int32", "int64", "uint8", "int8", "uint32", "bool") for x in arrays):
            continue
        if any(a.type == onnx.AttributeProto.GRAPH for n in test.model.graph.node for a in n.attribute) != (op in ("If", "Loop", "Scan")):
            continue
        size = sum(x.nbytes for x in arrays) + len(test.model.SerializeToString())
        # Transforms of numbers up to a hundred differ by rounding, and one has four digits: `own` has others.
        if "expanded" in test.name or op in ("Bernoulli", "DFT", "RoiAlign", "STFT") or "training_dropout" in test.name or (op == "Scan" and "scan9" not in test.name):
            continue
        if any(i.type.HasField("sequence_type") or i.type.HasField("optional_type") for i in [*test.model.graph.input, *test.model.graph.output]):
            continue
        # One with results that are not all the same tells more.
        if op not in best or size < best[op][0]:
            best[op] = (size, test)
    data, by = b"", {"onnxruntime": 0, "reference": 0}
    tests = [(test.name, test.model, *test.data_sets[0]) for _, (_, test) in sorted(best.items())]
    for name, model, inputs, outputs in tests + own():
        # Not all forms of this one are as the standard has them.
        found = None if name.startswith("DFT") else by_onnxruntime(model, inputs)
        by["reference" if found is None else "onnxruntime"] += 1
        outputs = outputs if found is None else found
        data += case(name, model.SerializeToString(), [tensor(x) for x in inputs], [tensor(x) for x in outputs])
    (GOLDEN / "operators.bin").write_bytes(data)
    print("operators", len(best), by, "without a case:", sorted(known - set(best)))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 4, 3)
        self.fc1, self.fc2 = nn.Linear(16, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = nn.functional.avg_pool2d(torch.relu(self.conv2(x)), 2, padding=1)
        return self.fc2(torch.tanh(self.fc1(torch.flatten(x, 1))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, stride=2, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.skip = nn.Conv2d(2, 4, 1, stride=2)
        self.fc = nn.Linear(4, 2)
        for bn in (self.bn1, self.bn2):
            bn.running_mean.uniform_(-1, 1)
            bn.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = self.bn2(self.conv2(torch.nn.functional.silu(self.bn1(self.conv1(x)))))
        return self.fc(torch.nn.functional.softplus(y + self.skip(x)).mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(3, 4, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return torch.log_softmax(self.head(self.encoder(x)), -1)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.norm, self.fc = nn.Embedding(7, 4), nn.LayerNorm(4), nn.Linear(4, 7)

    def forward(self, x):
        y = self.norm(self.embedding(x))
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), float("-inf")), 1)
        weights = torch.softmax(y @ y.transpose(1, 2) / 2 + mask, -1)
        return self.fc(weights @ y).reshape(-1, 7)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.norm = nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1), nn.GroupNorm(2, 4)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        y = nn.functional.elu(self.norm(self.up(x)))
        y = nn.functional.interpolate(y, scale_factor=2, mode="bilinear")
        return torch.sigmoid(self.out(nn.functional.pad(y, (1, 2, 0, 1), mode="reflect")))


def network(name, model, x, dynamo, dynamic=None):
    # Exporters share initialisers that are equal, as those of a Transformer's layers are, and gradients are those of all of them then.
    for p in model.parameters():
        p.data += 0.1 * torch.randn(p.shape)
    model.eval()
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            program = torch.onnx.export(model, (x,), dynamo=True, opset_version=18, input_names=["x"], dynamic_shapes=dynamic, verbose=False)
            program.save(file)
        else:
            torch.onnx.export(model, (x,), file, dynamo=False, opset_version=17, input_names=["x"], dynamic_axes=dynamic)
    y = model(x)
    is_float = x.dtype.is_floating_point
    point = x.detach().clone().requires_grad_(is_float)
    loss = lambda x: (model(x) ** 2).sum()
    inputs = [("x", point)] if is_float else []
    leaves = inputs + [(n, p) for n, p in model.named_parameters()]
    grads = torch.autograd.grad(loss(point), [p for _, p in leaves], allow_unused=True)
    # Exporters fold some weights into others, whose gradients are not those of PyTorch's.
    kept = {i.name: numpy_helper.to_array(i) for i in onnx.load_from_string(file.getvalue()).graph.initializer}
    same = lambda n, p: n == "x" or (n in kept and np.array_equal(kept[n], p.detach().numpy()))
    grads = [tensor(g.numpy(), n) for (n, p), g in zip(leaves, grads) if g is not None and same(n, p)]
    product = []
    if is_float:
        v = (torch.arange(x.numel()) + 1).reshape(x.shape) * 0.1
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            product = [tensor(torch.autograd.functional.hvp(loss, x, v)[1].detach().numpy())]
    print(name, len(file.getvalue()))
    return case(name, file.getvalue(), [tensor(x.detach().numpy())], [tensor(y.detach().numpy())], grads, product)


def networks():
    torch.manual_seed(0)
    batch = torch.export.Dim("batch")
    data = b""
    for dynamo in (True, False):
        kind = "dynamo" if dynamo else "script"
        along = ({0: batch},) if dynamo else {"x": {0: "batch"}}
        data += network(f"lenet_{kind}", LeNet(), torch.randn(2, 1, 8, 8), dynamo, along)
        data += network(f"residual_{kind}", Residual(), torch.randn(2, 2, 6, 6), dynamo, along)
        data += network(f"encoder_{kind}", Encoder(), torch.randn(2, 3, 8), dynamo)
        data += network(f"tokens_{kind}", Tokens(), torch.randint(0, 7, (2, 3)), dynamo, along)
        data += network(f"decoder_{kind}", Decoder(), torch.randn(2, 2, 4, 4), dynamo)
        data += network(f"lstm_{kind}", Recurrent(nn.LSTM), torch.randn(2, 3, 3), dynamo)
        data += network(f"gru_{kind}", Recurrent(nn.GRU), torch.randn(2, 3, 3), dynamo)
    (GOLDEN / "networks.bin").write_bytes(data)


def mlp():
    """The model of the documentation's examples."""
    generator = np.random.default_rng(0)
    weights = [("fc1.weight", (4, 3)), ("fc1.bias", (4,)), ("fc2.weight", (2, 4)), ("fc2.bias", (2,))]
    weights = [tensor(generator.normal(size=shape).astype(np.float32), name) for name, shape in weights]
    nodes = [
        helper.make_node("Gemm", ["x", "fc1.weight", "fc1.bias"], ["h"], name="fc1", transB=1),
        helper.make_node("Tanh", ["h"], ["a"], name="tanh"),
        helper.make_node("Gemm", ["a", "fc2.weight", "fc2.bias"], ["y"], name="fc2", transB=1),
    ]
    info = lambda name, n: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", n])
    graph = helper.make_graph(nodes, "mlp", [info("x", 3)], [info("y", 2)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, GOLDEN / "mlp.onnx")


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    mlp()
    operators()
    networks()
