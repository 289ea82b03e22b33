#!/usr/bin/env bash
# Runs the simulation of the mesh with as many seeds as one likes: nodes that crash, links that break, disks that lag, in one thread and by the seed alone.
#   scripts/sim.sh [--seeds N] [--first SEED]      default: 10,000 from 1; a failing seed is named, and its story written to artifacts/sim.SEED
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seeds=10000
first=1
while [ $# -gt 0 ]; do
  case "$1" in
    --seeds) seeds="$2" ;;
    --first) first="$2" ;;
    *)
      echo "usage: scripts/sim.sh [--seeds N] [--first SEED]" >&2
      exit 64
      ;;
  esac
  shift 2
done
mkdir -p artifacts
EDGEBROKER_SEEDS="$seeds" EDGEBROKER_FIRST_SEED="$first" EDGEBROKER_SIM_NOTES="$PWD/artifacts/sim" \
  dotnet test tests/EdgeBroker.Cluster.Tests -c Release --nologo --filter "FullyQualifiedName~A_mesh_keeps_what_it_promises"
