# SPDX-License-Identifier: Apache-2.0
"""What every room uses: processes, strict recipes, picture helpers."""
