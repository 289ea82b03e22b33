#!/usr/bin/env bash
# Passes every check there is: packages locked, format, build without warnings, both executables, all tests.
# The last line is "N passed, N failed[, N skipped]", a failed check counting as one failure. Exit 0 only if tests ran and nothing failed.
set -uo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$REPO_ROOT" || exit 1

results="$REPO_ROOT/artifacts/test-results"
passed=0
failed=0
skipped=0

finish() {
  local line="$passed passed, $failed failed"
  if [ "$skipped" -gt 0 ]; then line="$line, $skipped skipped"; fi
  echo "$line"
  if [ "$failed" -gt 0 ] || [ "$passed" -eq 0 ]; then exit 1; fi
  exit 0
}

# stage NAME COMMAND...: runs it, says how long it took, counts a failure.
stage() {
  local name="$1" started="$SECONDS" outcome=ok
  shift
  echo "== $name"
  if ! "$@" </dev/null; then
    outcome=FAILED
    failed=$((failed + 1))
  fi
  echo "== $name: $outcome, $((SECONDS - started)) s"
  [ "$outcome" = ok ]
}

# Sums the counters of every result file; a result counts as skipped when it neither passed nor failed.
sum_results() {
  local trx counters total ok bad name
  for trx in "$results"/*.trx; do
    [ -e "$trx" ] || return 0
    counters="$(grep -o '<Counters [^>]*' "$trx")"
    counter() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
    total="$(counter total)"
    ok="$(counter passed)"
    bad=$(($(counter failed) + $(counter error) + $(counter timeout) + $(counter aborted)))
    name="$(basename "$trx" .trx)"
    echo "$name: $ok passed, $bad failed of $total"
    passed=$((passed + ok))
    failed=$((failed + bad))
    skipped=$((skipped + total - ok - bad))
  done
}

# The tests that failed, with the first lines of why: last of all, where whoever reads only the end of the output finds them.
list_failed() {
  local trx
  for trx in "$results"/*.trx; do
    [ -e "$trx" ] || return 0
    python3 - "$trx" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree

namespace = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
for result in tree.parse(sys.argv[1]).iter(namespace + "UnitTestResult"):
    if result.get("outcome") in ("Failed", "Error", "Timeout", "Aborted"):
        print("FAILED", result.get("testName"))
        for part in ("Message", "StackTrace"):
            for text in result.iter(namespace + part):
                print("\n".join("    " + line for line in (text.text or "").splitlines()[:12]))
PYTHON
  done
}

# One project at a time: the tests that bound time and memory want the machine to themselves.
# shellcheck disable=SC2317 # called through stage
run_tests() {
  local project name status=0
  for project in tests/*.Tests/*.Tests.csproj; do
    name="$(basename "$project" .csproj)"
    if ! dotnet test "$project" -c Release --no-build --nologo --verbosity quiet \
      --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
      --results-directory "$results" --blame-hang-timeout 5m --blame-hang-dump-type none; then
      status=1
      echo "$name: failed"
    fi
  done
  return "$status"
}

stage setup scripts/setup.sh || finish
# Again: setup may just have installed the SDK.
# shellcheck source=scripts/env.sh
source scripts/env.sh
rm -rf "$results" artifacts/conformance.md
mkdir -p "$results"

stage restore dotnet restore EdgeBroker.sln --locked-mode --verbosity quiet || finish
stage build dotnet build EdgeBroker.sln -c Release --no-restore -nologo --verbosity quiet || finish
stage format dotnet format EdgeBroker.sln --no-restore --verify-no-changes
if [ "$(host_rid)" = linux-x64 ]; then
  stage publish-x64 scripts/publish.sh linux-x64
fi
stage publish-arm64 scripts/publish.sh linux-arm64

checks_failed="$failed"
export EDGEBROKER_BINARY="${EDGEBROKER_BINARY:-$REPO_ROOT/artifacts/$(host_rid)/edgebroker}"
if [ "$(host_rid)" = linux-x64 ]; then
  export EDGEBROKER_BINARY_ARM64="${EDGEBROKER_BINARY_ARM64:-$REPO_ROOT/artifacts/linux-arm64/edgebroker}"
  export EDGEBROKER_QEMU="${EDGEBROKER_QEMU:-qemu-aarch64-static -L $ARM64_ROOT}"
fi
if stage test run_tests; then
  sum_results
else
  # The stage itself is no further failure when its tests are counted; a run that broke without a failed test is.
  failed="$checks_failed"
  sum_results
  if [ "$failed" -eq "$checks_failed" ]; then failed=$((failed + 1)); fi
fi
# That it still measures, not how fast it is: one line of each way it has of measuring.
stage bench scripts/bench.sh --quick --binary "$EDGEBROKER_BINARY" --only pairs-0,fair-fan-in,stops-sent,store-1,tls-messages,start
# Which statements of the MQTT specifications the conformance tests prove.
if [ -e artifacts/conformance.md ]; then cat artifacts/conformance.md; fi
list_failed
echo "== all: $SECONDS s"
finish
