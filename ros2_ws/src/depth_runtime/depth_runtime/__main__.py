# SPDX-License-Identifier: Apache-2.0
"""`python -m depth_runtime`: what a robot does with a network before it drives; needs neither torch nor ROS."""

import logging

from .commands import COMMANDS, run_commands

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run_commands("depth_runtime", __doc__, COMMANDS)
