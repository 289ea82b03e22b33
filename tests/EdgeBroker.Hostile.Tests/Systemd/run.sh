#!/usr/bin/env bash
# Boots systemd in namespaces of its own and runs the unit as it is shipped through what happens to gateways: scenarios.sh. Prints a line for each scenario;
# fails when one fails.   tests/EdgeBroker.Hostile.Tests/Systemd/run.sh [BINARY]        Needs root, systemd, gcc, iproute2, script.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
repository="$(cd "$here/../../.." && pwd)"
binary="${1:-$repository/artifacts/linux-x64/edgebroker}"
[ -x "$binary" ] || { echo "no $binary: run scripts/publish.sh" >&2; exit 64; }
work="$(mktemp -d)"
group=/sys/fs/cgroup/systemd/edgebroker-test-$$
cleanup() {
  rm -rf "$work"
  rmdir "$group" 2>/dev/null || true
}
trap cleanup EXIT
mkdir "$work/results" "$work/kit"
cp "$here/boot.sh" "$here/scenarios.sh" "$work/kit/"
gcc -shared -fPIC -O2 -o "$work/kit/past.so" "$here/past.c" -ldl
cat > "$work/enter.sh" <<ENTER
#!/usr/bin/env bash
# A control group of its own, so that the one systemd sees as the root is not the machine's.
mkdir "$group" 2>/dev/null && echo 0 > "$group/cgroup.procs"
exec timeout -k 5 ${SYSTEMD_TEST_SECONDS:-240} unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net \
  bash "$work/kit/boot.sh" "$work/kit" "$binary" "$repository/packaging" "$work/results"
ENTER
chmod +x "$work/enter.sh"
script -qfec "$work/enter.sh" "$work/console" < /dev/null > /dev/null 2>&1 &
machine=$!
for ((i = 0; i < 10 * ${SYSTEMD_TEST_SECONDS:-240}; i++)); do
  [ -e "$work/results/done" ] && break
  kill -0 "$machine" 2>/dev/null || break
  sleep 0.1
done
cat "$work/results/log" 2>/dev/null || true
if [ ! -e "$work/results/done" ]; then
  echo "FAIL the scenarios did not come to their end; the console said:"
  tail -40 "$work/console"
  kill "$machine" 2>/dev/null || true
  exit 1
fi
wait "$machine" 2>/dev/null || true
grep -q '^ok ' "$work/results/log" || exit 1
! grep -q '^FAIL' "$work/results/log"
