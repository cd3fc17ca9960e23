# SPDX-License-Identifier: Apache-2.0
"""Textures from Debian packages whose licences allow weights that were trained on them to be given away."""
