# SPDX-License-Identifier: Apache-2.0
"""Messages without a ROS installation: definitions, images, disparities, calibrations, topics."""
