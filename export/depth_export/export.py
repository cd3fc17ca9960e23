# SPDX-License-Identifier: Apache-2.0
"""One call from a torch network to a contract file that passed the parity gate."""

from __future__ import annotations

from pathlib import Path

from depth_runtime.files.atomic import replacing
from depth_runtime.onnx_file import read_spec
from depth_runtime.spec import METADATA_KEY, ModelSpec
from torch import nn

from .graph import fold_batch_norms, halve_weights, save, strip, trace
from .lower import lower
from .parity import check_parity


def export_contract(contract: nn.Module, spec: ModelSpec, path: Path) -> dict[str, float]:
    """Write the contract file of a module and return its largest differences from torch.

    contract: takes the spec's inputs and returns its outputs in the order of spec.outputs. Raises ParityError, and
    leaves `path` as it was, when the graph does not predict like the module.
    """
    contract.eval()
    outputs = list(spec.outputs)
    folded, scales = fold_batch_norms(contract)
    model = lower(strip(trace(folded, spec.inputs, outputs, spec.default_size, spec.size_multiple)))
    halve_weights(model, {k: v.numpy() for k, v in contract.state_dict().items()}, scales)
    model.producer_name = "depth_export"
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, spec.to_json()
    with replacing(path) as temporary:
        save(model, temporary)
        worst = check_parity(contract, temporary, spec)
        read_spec(temporary)
    return worst
