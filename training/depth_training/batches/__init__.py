# SPDX-License-Identifier: Apache-2.0
"""Where training batches come from: data sets and the procedural world."""
