#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One time box of a recipe's training, unattended. Call it again until it says "done": each call goes on where the last
# one ended, and the one that finds the schedule done makes what robots run: OUT/files with FP32, FP16 and INT8 files,
# and TensorRT engines where TensorRT is installed.
set -euo pipefail

usage="usage: training/box.sh RECIPE MINUTES [options of 'python -m depth_training train']
  RECIPE    name of a file in training/configs, such as stereo_xs
  MINUTES   of training in this call, start-up included; making the files comes on top
environment (paths are relative to the repository):
  OUT       folder of the run           [runs/RECIPE]
  TEXTURES  archive of 'make textures'  [computed textures]
  PAIRS     rendered pairs that INT8 is calibrated on, 0 for no INT8 [36]
  RENDER    further options of 'python -m depth_training render' for those pairs
  EXPORT    further options of 'python -m depth_export all'
  PYTHON    interpreter                 [python3]"
if (($# < 2)); then
    echo "$usage" >&2
    exit 2
fi
recipe=$1 minutes=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${OUT:-runs/$recipe} python=${PYTHON:-python3} pairs=${PAIRS:-36}
config=training/configs/$recipe.toml
if [[ ! -f $config ]]; then
    echo "training/box.sh: expected a recipe of training/configs, got '$recipe'; there are: $(basename -s .toml training/configs/*.toml | xargs)" >&2
    exit 2
fi
# On a CPU, threads that spin while they wait slow each other down.
export OMP_WAIT_POLICY=PASSIVE

"$python" -m depth_training train "$config" --out "$out" --resume --minutes "$minutes" \
    ${TEXTURES:+--set "world.textures=$TEXTURES"} "$@"
if ! grep -q '"progress": 1.0' "$out/metrics.json"; then
    echo "training/box.sh: the schedule is not done; call the same again"
    exit 0
fi

int8=()
if ((pairs > 0)); then
    # Rendered anew by every call, since a call that was stopped may have left too few.
    # shellcheck disable=SC2086 # RENDER is a list of words
    "$python" -m depth_training render --out "$out/pairs" --count "$pairs" --seed 77 \
        ${TEXTURES:+--textures "$TEXTURES"} ${RENDER:-}
    int8=(--calibration "$out/pairs")
fi
# shellcheck disable=SC2086 # EXPORT is a list of words
"$python" -m depth_export all --weights "$out/weights.pt" --metrics "$out/metrics.json" --out "$out/files" \
    "${int8[@]}" ${EXPORT:-}
echo "training/box.sh: done, see $out/files"
