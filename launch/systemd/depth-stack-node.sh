#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Become the stereo node of one camera: depth-stack-node.sh NAMESPACE. The unit depth-stack@.service calls this, and the
# variables are those of its environment file (camera.env explains them). The process stays the one that systemd started,
# so that NotifyAccess=main holds and signals and exit codes are the node's own.
set -eo pipefail

namespace=${1:?expected the namespace of the camera, for example front}
prefix=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd) # of the workspace that this file is installed in
# ROS's setup files read variables that are not set, so no "set -u" above.
# shellcheck disable=SC1090
source "${DEPTH_STACK_SETUP:-$prefix/setup.bash}"

profile=${FASTRTPS_DEFAULT_PROFILES_FILE:-$(dirname "${BASH_SOURCE[0]}")/../config/fastdds.xml}
export FASTRTPS_DEFAULT_PROFILES_FILE=$profile FASTDDS_DEFAULT_PROFILES_FILE=$profile

arguments=(-r "__ns:=/$namespace")
if [[ -n ${PARAMS_FILE:-} ]]; then
    arguments+=(--params-file "$PARAMS_FILE")
fi
read -ra more <<<"${ROS_ARGUMENTS:-}"
exec python3 -m depth_nodes.stereo_node --ros-args "${arguments[@]}" "${more[@]}"
