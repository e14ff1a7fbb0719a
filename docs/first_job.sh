#!/bin/sh
# The main job on the small aligned pair of tests/files: convert both files, look at them,
# compare, swap and interpolate, and carry a blend back to PyTorch.
# Usage: sh docs/first_job.sh [FOLDER]
set -eu
out=${1:-out}
data=$(dirname "$0")/../tests/files

aligned convert "$data/avatars_parent.pkl" "$out/parent" --overwrite
aligned convert "$data/avatars_child.pkl" "$out/child" --overwrite
aligned info "$out/child"
aligned generate "$out/parent" --seeds 0-31 --psi 0.8 --out "$out/parent.png" --overwrite
aligned generate "$out/child" --seeds 0-31 --psi 0.8 --out "$out/child.png" --overwrite
aligned compare "$out/parent" "$out/child" --psi 0.8 --out "$out/compare" --overwrite
aligned interpolate "$out/parent" "$out/child" --strip 0,0.25,0.5,0.75,1 --psi 0.8 \
  --out "$out/interpolate.png" --overwrite
aligned swap "$out/parent" "$out/child" --strip 4,8,16,32 --psi 0.8 --out "$out/swap.png" --overwrite
aligned swap "$out/parent" "$out/child" --resolution 8 --out "$out/blend" --overwrite
aligned export "$out/blend" "$out/blend.safetensors" --overwrite
echo "Open $out/compare/index.html, $out/interpolate.png and $out/swap.png."
