# SPDX-License-Identifier: Apache-2.0
"""File formats that several packages read or write; NumPy and OpenCV only."""
