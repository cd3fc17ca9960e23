# SPDX-License-Identifier: Apache-2.0
"""What is done to samples: crops, scales, augmentation, region images, derived sets."""
