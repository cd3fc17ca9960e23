# SPDX-License-Identifier: Apache-2.0
"""Labels made by networks: disparities that methods agree on, regions of Segment Anything."""
