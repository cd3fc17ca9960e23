# SPDX-License-Identifier: Apache-2.0
"""Photometric against deep-feature matching on a pair."""
