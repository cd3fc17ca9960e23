# SPDX-License-Identifier: Apache-2.0
"""Stereo networks of others: any ONNX file that a few lines of TOML describe, as a backend of the robot's pipeline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from depth_runtime.spec import ModelSpec

from ..core.strict_config import read_config

AXIS_ORDERS = ("NCHW", "NHWC")
_CODES = {"rgb": None, "bgr": cv2.COLOR_RGB2BGR, "grey": cv2.COLOR_RGB2GRAY}
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


@dataclass(frozen=True)
class ThirdPartyNetwork:
    """How a network takes a pair and predicts; the keys of its TOML file.

    inputs: names of left and right, or one name for both in one tensor, the left one's channels first. layout: NCHW or
    NHWC; colors: rgb, bgr or grey. A byte p enters as (p / 255 * white - mean) / std, with one mean and std for each
    colour, or none. multiple: what the sides are padded to, where the file leaves them free. output: name of the
    disparity; it times output_scale (-1 for negative predictions) is the left view's disparity in pixels of the input.
    Larger predictions than max_disparity_px are cut to it.
    """

    inputs: list[str] = field(default_factory=list)
    layout: str = "NCHW"
    colors: str = "rgb"
    white: float = 1.0
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    multiple: int = 32
    output: str = ""
    output_scale: float = 1.0
    max_disparity_px: float = 192.0

    def __post_init__(self) -> None:
        channels = 1 if self.colors == "grey" else 3
        for fits, expected in (
            (len(self.inputs) in (1, 2), f"inputs with one or two names, got {self.inputs}"),
            (self.layout in AXIS_ORDERS, f"layout among {list(AXIS_ORDERS)}, got '{self.layout}'"),
            (self.colors in _CODES, f"colors among {list(_CODES)}, got '{self.colors}'"),
            (len(self.mean) in (0, channels), f"mean of {channels} numbers for {self.colors}, got {self.mean}"),
            (len(self.std) in (0, channels) and 0 not in self.std, f"std of {channels} numbers, got {self.std}"),
            (self.multiple > 0, f"multiple > 0, got {self.multiple}"),
            (self.max_disparity_px > 0, f"max_disparity_px > 0, got {self.max_disparity_px}"),
        ):
            if not fits:
                raise ValueError(f"expected {expected}; correct the description")


def open_third_party(argument: str, threads: int) -> ThirdPartyOnnx:
    """The network of "MODEL.onnx@DESCRIPTION.toml", or of MODEL.onnx with MODEL.toml beside it.

    Raises ValueError when a file is missing, the description has unknown keys, or the names in it are not the file's.
    """
    model, _, description = argument.partition("@")
    network = Path(model).expanduser()
    path = Path(description).expanduser() if description else network.with_suffix(".toml")
    for file in (network, path):
        if not file.is_file():
            raise ValueError(
                f"expected MODEL.onnx@DESCRIPTION.toml, or MODEL.toml beside MODEL.onnx, got no file {file}; see "
                "training/configs/third_party for an example"
            )
    try:
        return ThirdPartyOnnx(network, read_config(ThirdPartyNetwork, path), threads)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


class ThirdPartyOnnx:
    """Backend of depth_runtime over such a file, on the CPU.

    fixed_size: "WIDTHxHEIGHT" where the file fixes the size of its input, else "".
    """

    name, device, fallback_reason = "onnxruntime-cpu", "CPU", ""

    def __init__(self, path: Path, description: ThirdPartyNetwork, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._about = description
        tensors = {tensor.name: tensor for tensor in self._session.get_inputs()}
        outputs = [tensor.name for tensor in self._session.get_outputs()]
        if sorted(tensors) != sorted(description.inputs) or description.output not in outputs:
            raise ValueError(
                f"expected the inputs {sorted(tensors)} and an output among {outputs} of {path}, got "
                f"{description.inputs} and '{description.output}'; correct the names"
            )
        first = tensors[description.inputs[0]]
        if first.type not in _DTYPES:
            raise ValueError(f"expected an input of {sorted(_DTYPES)} in {path}, got {first.type}; convert the file")
        self._dtype = _DTYPES[first.type]
        sides = first.shape[2:] if description.layout == "NCHW" else first.shape[1:3]
        fixed = all(isinstance(side, int) for side in sides)
        self.fixed_size = f"{sides[1]}x{sides[0]}" if fixed else ""
        multiple = 1 if fixed else description.multiple
        self.spec = ModelSpec(
            name=path.stem,
            version="foreign",
            task="stereo",
            size_multiple=multiple,
            default_size=tuple(sides) if fixed else (-(-384 // multiple) * multiple, -(-640 // multiple) * multiple),
            outputs={"disparity": 1},
            max_disparity=description.max_disparity_px,
        )

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Input buffers uint8 [1, H, W, 3] RGB."""
        self._views = {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}
        return self._views

    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """disparity float32 [1, h, w]. Raises ValueError when the prediction is no single map."""
        del outputs  # there is but one
        names, views = self._about.inputs, [self._tensor(view[0]) for view in self._views.values()]
        axis = self._about.layout.index("C")
        feed = dict(zip(names, views, strict=True)) if len(names) == 2 else {names[0]: np.concatenate(views, axis)}
        prediction = self._session.run([self._about.output], feed)[0]
        disparity = np.squeeze(prediction).astype(np.float32) * np.float32(self._about.output_scale)
        if disparity.ndim != 2:
            raise ValueError(
                f"expected one map from '{self._about.output}', got {prediction.shape}; name another output"
            )
        return {"disparity": disparity[None]}

    def _tensor(self, rgb: np.ndarray) -> np.ndarray:
        """uint8 [H, W, 3] RGB as the network's own tensor."""
        about, code = self._about, _CODES[self._about.colors]
        image = np.atleast_3d(rgb if code is None else cv2.cvtColor(rgb, code))
        values = image.astype(np.float32) / 255 * np.float32(about.white)
        values = (values - np.float32(about.mean or 0)) / np.float32(about.std or 1)
        if about.layout == "NCHW":
            values = values.transpose(2, 0, 1)
        if self._dtype is np.uint8:
            values = np.rint(values)
        return np.ascontiguousarray(values[None], self._dtype)
