# SPDX-License-Identifier: Apache-2.0
"""Published maps against truth, and how the figures are shown."""
