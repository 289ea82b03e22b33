#!/usr/bin/env bash
# Builds the broker for this machine and runs it; arguments go to it: scripts/run.sh -c broker.toml
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

"$REPO_ROOT/scripts/setup.sh" build >&2
# Again: setup may just have installed the SDK.
# shellcheck source=scripts/env.sh
source "$REPO_ROOT/scripts/env.sh"
"$REPO_ROOT/scripts/publish.sh" >&2
exec "$REPO_ROOT/artifacts/$(host_rid)/edgebroker" "$@"
