#!/usr/bin/env bash
# Kills the broker (SIGKILL), cuts the power of the disk under it, or has a bridge and its link fail, again and again, and checks that nothing acknowledged is
# lost.
#   scripts/crash.sh --rounds N [--cuts N] [--bridge N [--upstream edgebroker|mosquitto]] [--profile strict|balanced|flash-saver|memory|unset] [--seed S]
# The executable is EDGEBROKER_BINARY, or the one scripts/publish.sh left, made first when there is none. What goes wrong is written to artifacts/crash/.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd "$REPO_ROOT"
if [ -z "${EDGEBROKER_BINARY:-}" ]; then
  EDGEBROKER_BINARY="$REPO_ROOT/artifacts/$(host_rid)/edgebroker"
  if [ ! -x "$EDGEBROKER_BINARY" ]; then scripts/publish.sh; fi
fi
export EDGEBROKER_BINARY
exec dotnet run --project tests/EdgeBroker.Crash.Tests -c Release -- "$@"
