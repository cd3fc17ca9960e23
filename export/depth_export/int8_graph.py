# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph in INT8: which nodes, with which ranges, written as QuantizeLinear / DequantizeLinear pairs.

Weights are signed with one scale for each output channel. How activations and biases are written depends on who reads
the file, see INT8_FORMATS.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx

# What may lie between products without leaving INT8; of those that move values the other inputs are shapes.
PRODUCTS = ("Conv", "MatMul")
MOVERS = ("Reshape", "Resize", "Slice", "Transpose")
ACTIVATIONS = ("Clip", "Relu")  # vanish into the range of what they follow, whoever reads them
BETWEEN = ("Add", "Concat", "Mul", "Sigmoid", *ACTIVATIONS, *MOVERS)
TYPES = [*PRODUCTS, *BETWEEN]
Feed = dict[str, np.ndarray]


@dataclass(frozen=True)
class Int8Format:
    """What a library takes as INT8.

    activations: type, by its name in ONNX Runtime's QuantType; between: what lies between products stays in INT8 too;
    grouped: convolutions in groups (depthwise ones) are products like others; options: of ONNX Runtime's quantiser.
    """

    activations: str
    between: bool
    grouped: bool
    options: dict[str, object] = field(default_factory=dict)


# Each is slow or impossible in the other's place (docs/export.md).
INT8_FORMATS = {
    # Integer kernels of ONNX Runtime: unsigned with a zero point, which takes in a ReLU; biases in INT32.
    "cpu": Int8Format("QUInt8", between=True, grouped=True),
    # Symmetric, biases in FP32, weights as FP32 with a pair of their own; the library fuses what follows a product.
    # INT8 depthwise convolutions made engines of TensorRT-RTX five times as large.
    "tensorrt": Int8Format(
        "QInt8",
        between=False,
        grouped=False,
        options={
            "ActivationSymmetric": True,
            "QuantizeBias": False,
            "AddQDQPairToWeight": True,
            "OpTypesToExcludeOutputQuantization": list(PRODUCTS),
        },
    ),
}


def prepare(source: Path) -> onnx.ModelProto:
    """Graph of a contract file with constants folded, as quantisation needs it; metadata is kept."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
        model = onnx.load(options.optimized_model_filepath)
    own = [entry for entry in model.opset_import if entry.domain == ""]
    del model.opset_import[:]  # ONNX Runtime lists all of its own domains
    model.opset_import.extend(own)
    return model


def parts_of(model: onnx.ModelProto, int8: Int8Format, depth: int, within: str = "") -> dict[str, list[str]]:
    """Names of the products that a format takes, by the part of the network that their weight belongs to.

    A weight `network.a.b.c.weight` is of the part "a" at depth 1, "a.b" at depth 2; a product without such a weight is
    a part of its own. within: only this part and those below it.
    """
    parts: dict[str, list[str]] = {}
    for node in model.graph.node:
        if node.op_type in PRODUCTS and (int8.grouped or _groups(node) == 1):
            path = node.input[1].split(".")[1:-1] or [node.name]
            if not within or f"{'.'.join(path)}.".startswith(f"{within}."):
                parts.setdefault(".".join(path[:depth]), []).append(node.name)
    return parts


def _groups(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)


def feeding(model: onnx.ModelProto, outputs: Iterable[str]) -> set[str]:
    """Names of the nodes that these outputs of the graph depend on."""
    needed, nodes = set(outputs), set()
    for node in reversed(model.graph.node):  # ONNX lists nodes in an order of computation
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.add(node.name)
    return nodes


def with_neighbours(model: onnx.ModelProto, products: Iterable[str]) -> list[str]:
    """Names of these products and of the nodes of BETWEEN that only such nodes feed and read, in the graph's order.

    So an addition inside the encoder stays in INT8, while arithmetic on disparities, which other nodes feed, stays in
    FP32.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    outputs = {value.name for value in model.graph.output}
    readers: dict[str, list[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.name)
    makers = {name: node.name for node in model.graph.node for name in node.output}
    chosen = set(products)
    inside = chosen | {node.name for node in model.graph.node if node.op_type in BETWEEN}
    outside = [None]
    while outside:
        outside = []
        for node in model.graph.node:
            if node.name not in inside or node.name in chosen:
                continue
            data = node.input[:1] if node.op_type in MOVERS else node.input
            feeds = [makers.get(name) for name in data if name not in constants]
            reads = [reader for name in node.output for reader in readers.get(name, [])]
            if node.op_type in ACTIVATIONS:
                reads = []
            if outputs & set(node.output) or not inside.issuperset((*feeds, *reads)):
                outside.append(node.name)
        inside.difference_update(outside)
    return [node.name for node in model.graph.node if node.name in inside]


def calibrate(model: onnx.ModelProto, feeds: Iterable[Feed]) -> object:
    """Smallest and largest value of every activation over all feeds, as ONNX Runtime's quantiser takes them."""
    from onnxruntime.quantization import CalibrationDataReader
    from onnxruntime.quantization.calibrate import create_calibrator

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._feeds = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._feeds, None)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        calibrator = create_calibrator(path, TYPES, augmented_model_path=str(Path(folder) / "watched.onnx"))
        calibrator.collect_data(Reader())
        return calibrator.compute_data()


def quantize(model: onnx.ModelProto, int8: Int8Format, ranges: object, products: list[str]) -> onnx.ModelProto:
    """Copy of the graph in which the named products, and what the format has between them, compute in INT8."""
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.producer_name = "depth_export"
    nodes = with_neighbours(model, products) if int8.between else products
    types = TYPES if int8.between else list(PRODUCTS)
    activations = getattr(QuantType, int8.activations)
    quantizer = QDQQuantizer(
        copy, True, False, QuantType.QInt8, activations, ranges, nodes, [], types, dict(int8.options)
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    return quantizer.model.model
