# SPDX-License-Identifier: Apache-2.0
"""The commands of `depth_training`, one module each."""
