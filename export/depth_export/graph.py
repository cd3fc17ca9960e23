# SPDX-License-Identifier: Apache-2.0
"""From a torch module to an ONNX graph: batch norms folded, dynamic sizes, weights in half precision."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

OPSET = 18


def fold_batch_norms(network: nn.Module) -> tuple[nn.Module, dict[str, np.ndarray]]:
    """Copy of an eval-mode network in which each (transposed) convolution + BatchNorm2d of a Sequential is one.

    Also returns, by the name of a folded weight, what its output channels were multiplied by. A norm that is left to
    the exporter is folded there too, but then halve_weights does not know its scale.
    """
    folded = deepcopy(network).eval()
    scales = {}
    for name, block in list(folded.named_modules()):
        layers = list(block) if isinstance(block, nn.Sequential) else []
        for i in range(len(layers) - 1):
            conv, norm = layers[i : i + 2]
            if isinstance(conv, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(conv, nn.ConvTranspose2d)
                block[i], block[i + 1] = fuse_conv_bn_eval(conv, norm, transposed), nn.Identity()
                scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
                shape = (1, -1, 1, 1) if transposed else (-1, 1, 1, 1)  # outputs come second in a transposed weight
                scales[f"{name}.{i}.weight"] = scale.detach().numpy().reshape(shape)
    return folded, scales


def trace(
    module: nn.Module, inputs: Sequence[str], outputs: Sequence[str], size: tuple[int, int], size_multiple: int
) -> onnx.ModelProto:
    """ONNX graph of a module that takes uint8 images [1, H, W, 3] with H and W any multiples of size_multiple.

    inputs, outputs: names of what it takes and returns, in its order; size: the example (height, width) that is traced.
    """
    height, width = (torch.export.Dim(f"{n}_cells", min=2) * size_multiple for n in ("height", "width"))
    sides = tuple({1: height, 2: width} for _ in inputs)
    program = torch.onnx.export(
        module.eval(),
        tuple(torch.zeros(1, *size, 3, dtype=torch.uint8) for _ in inputs),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=inspect.signature(module.forward).bind(*sides).arguments,
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    return program.model_proto


def halve_weights(
    model: onnx.ModelProto, weights: dict[str, np.ndarray], scales: dict[str, np.ndarray]
) -> onnx.ModelProto:
    """Store weights as FP16 where that loses nothing: half the file, the same predictions.

    weights: the network's own tensors by name; scales: see `fold_batch_norms`. Trained weights are kept in FP16, but
    folding a batch norm would spoil that, so the file holds the plain weight, a cast and the batch norm's scale.
    The graph still computes in FP32, and runtimes evaluate these constants once, when they load the file.
    """
    nodes = []
    for tensor in list(model.graph.initializer):
        name, weight = tensor.name, weights.get(tensor.name)
        if weight is None or weight.dtype != np.float32:
            continue
        half = weight.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), weight):
            continue
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        plain = f"{name}.plain" if name in scales else name
        nodes.append(helper.make_node("Cast", [f"{name}.half"], [plain], f"{name}.cast", to=TensorProto.FLOAT))
        if name in scales:
            model.graph.initializer.append(numpy_helper.from_array(scales[name], f"{name}.scale"))
            nodes.append(helper.make_node("Mul", [plain, f"{name}.scale"], [name], f"{name}.fold"))
    nodes.extend(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def strip(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove what the exporter noted about its sources (stack traces, machine paths, shapes of values)."""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    del model.metadata_props[:]
    return model


def save(model: onnx.ModelProto, path: Path) -> None:
    """Check the graph and write it. Raises onnx.checker.ValidationError for a graph that breaks the standard."""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
