# SPDX-License-Identifier: Apache-2.0
"""Keep every ROS test on this machine and apart from whatever else runs ROS here."""

import contextlib
import os
import random

# Set before any test imports rclpy, and inherited by the processes that tests start. Two test runs at once
# share a domain with a probability of 1 %; ROS_DOMAIN_ID in the environment decides instead where it is set.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))

# The same examples at every run and as much time as they need, so that no test depends on luck or on the machine.
with contextlib.suppress(ImportError):
    import hypothesis

    hypothesis.settings.register_profile("same_everywhere", derandomize=True, deadline=None)
    hypothesis.settings.load_profile("same_everywhere")
