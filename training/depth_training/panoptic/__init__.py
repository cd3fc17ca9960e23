# SPDX-License-Identifier: Apache-2.0
"""Targets and losses of the panoptic head."""
