#!/usr/bin/env bash
# Counts what there is to read: types and lines on the way of a QoS 0 PUBLISH, fields of the largest classes, constants that steer, lines of each project.
#   scripts/count.sh [DIRECTORY [TOUR]]     default: this repository and the tour in its README.md
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
directory="$(realpath "${1:-$REPO_ROOT}")"
tour="$(realpath "${2:-$directory/README.md}")"
cd "$REPO_ROOT"
exec dotnet run --project tests/EdgeBroker.Benchmarks -c Release -- count "$directory" "$tour"
