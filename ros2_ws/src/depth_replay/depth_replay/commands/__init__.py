# SPDX-License-Identifier: Apache-2.0
"""The commands of `depth_replay`, one module each."""
