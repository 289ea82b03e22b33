#!/usr/bin/env bash
# Publishes the one executable: artifacts/<rid>/edgebroker, alone in its folder; its symbols go to artifacts/symbols/<rid>/.
#   scripts/publish.sh [linux-x64|linux-arm64]      default: this machine's
# Any warning, of the compiler, the trimmer or the AOT compiler, is a failure.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

rid="${1:-$(host_rid)}"
case "$rid" in
  linux-x64 | linux-arm64) ;;
  *)
    echo "usage: scripts/publish.sh [linux-x64|linux-arm64]" >&2
    exit 64
    ;;
esac

cd "$REPO_ROOT"
project=src/EdgeBroker/EdgeBroker.csproj
staging="artifacts/publish/$rid"
log="artifacts/publish/$rid.log"
rm -rf "$staging" "artifacts/$rid" "artifacts/symbols/$rid"
mkdir -p "$staging"

# Told by the API. Of sources without a repository nothing is said, and so with changes that are in no commit.
commit="$(git rev-parse --short=12 HEAD 2>/dev/null || true)"
[ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || commit=""

dotnet restore "$project" --locked-mode --verbosity quiet
if ! dotnet publish "$project" --no-restore -c Release -p:Checked=false -p:Commit="$commit" -r "$rid" -o "$staging" -nologo --verbosity minimal >"$log" 2>&1; then
  cat "$log" >&2
  echo "publish for $rid failed" >&2
  exit 1
fi
if grep -E '\bwarning\b' "$log" >&2; then
  echo "publish for $rid printed warnings" >&2
  exit 1
fi

mkdir -p "artifacts/$rid" "artifacts/symbols/$rid"
mv "$staging/edgebroker" "artifacts/$rid/edgebroker"
mv "$staging/edgebroker.dbg" "artifacts/symbols/$rid/edgebroker.dbg"
# Documentation and symbols of managed assemblies may lie beside; anything else would have to be shipped, and one file is the promise.
rm -f "$staging"/*.pdb "$staging"/*.xml "$staging"/*.dbg
if [ -n "$(ls -A "$staging")" ]; then
  echo "publish for $rid left more than one file:" >&2
  ls -l "$staging" >&2
  exit 1
fi

# Names that no method has any more are passed over by the compiler; when many are, the list is worth renewing.
order=src/EdgeBroker/method-order.txt
methods() { readelf -sW "artifacts/symbols/$rid/edgebroker.dbg" 2>/dev/null | awk '$4 == "FUNC" { print $8 }' | sort -u; }
known="$(grep -v '^#' "$order" | sort -u | comm -12 - <(methods) | wc -l)"
names="$(grep -vc '^#' "$order")"
echo "$order: $known of $names names are methods of it$([ $((known * 10)) -ge $((names * 8)) ] || echo "; renew it with scripts/method-order.py")"
echo "artifacts/$rid/edgebroker: $(stat -c %s "artifacts/$rid/edgebroker") bytes"
