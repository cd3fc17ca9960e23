# SPDX-License-Identifier: Apache-2.0
"""One training run: recipe, trainer, schedule, checkpoints, validation."""
