# SPDX-License-Identifier: Apache-2.0
"""`depth_replay`: images to bag, play, record, score, demo."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

# name: (module with add_arguments and run, help). Modules are imported on use: images-to-bag and score run
# where rclpy is not installed.
COMMANDS: dict[str, tuple[str, str]] = {
    "images-to-bag": ("images_to_bag", "folders of rectified image pairs to a rosbag2 bag"),
    "play": ("play", "publish a bag through ROS 2"),
    "record": ("record", "record topics into a bag"),
    "score": ("score", "published disparity, depth and semantics against ground truth"),
    "demo": ("demo", "play a bag through the stereo node and report on the answers"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; errors of the user's making are one line and exit code 1."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="depth_replay", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        if name == chosen:
            command = importlib.import_module(f".commands.{module}", __package__)
            command.add_arguments(sub)
    args = parser.parse_args(arguments)
    try:
        return command.run(args)
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        print(f"depth_replay {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
