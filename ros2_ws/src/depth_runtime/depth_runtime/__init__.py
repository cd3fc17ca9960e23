# SPDX-License-Identifier: Apache-2.0
"""Torch-free runtime: the model contract, resize plan, stereo geometry, backends and pipelines."""
