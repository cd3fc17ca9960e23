#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Source ROS and the workspace, then become the command, so that signals and exit codes are its own.
set -eo pipefail

# ROS's setup files read variables that are not set, so no "set -u" above.
# shellcheck disable=SC1090,SC1091
source "${DEPTH_STACK_SETUP:-/opt/depth_stack/setup.bash}"
exec "$@"
