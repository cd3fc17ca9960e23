# SPDX-License-Identifier: Apache-2.0
"""Scoring of networks and classical methods on data with truth."""
