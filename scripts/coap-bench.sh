#!/usr/bin/env bash
# Compares our CoAP with libcoap's coap-server in one run: requests per second of the server's CPU, a fan-out to many observers, and memory per peer.
# Usage: scripts/coap-bench.sh [SECONDS]; EDGEBROKER_BINARY names another executable than the published one.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

seconds="${1:-5}"
binary="${EDGEBROKER_BINARY:-$REPO_ROOT/artifacts/linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')/edgebroker}"
work="$(mktemp -d)"
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

command -v coap-server-notls >/dev/null || { echo "coap-server-notls is not installed: run scripts/setup.sh" >&2; exit 1; }

free_port() { python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }

# await WHAT COMMAND...: until the command succeeds, for 20 s.
await() {
  local what="$1"; shift
  for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "waited 20 s for $what" >&2
  exit 1
}

ours="$(free_port)"
theirs="$(free_port)"
cat > "$work/broker.toml" <<TOML
[node]
data_dir = "data"
[[listener]]
protocol = "coap"
address = "127.0.0.1:$ours"
allow_anonymous = true
[listener.coap]
max_peers = 20000
max_peers_per_ip = 20000
requests_per_second = 100000
max_observations = 20000
[log]
level = "warning"
TOML
(cd "$work" && exec "$binary" -c broker.toml >"$work/ours.log" 2>&1) & pids+=($!)
coap-server-notls -A 127.0.0.1 -p "$theirs" -d 100 >"$work/theirs.log" 2>&1 & pids+=($!)
await "our server" "$binary" coap put "coap://127.0.0.1:$ours/ps/bench" -m 0123456789abcdef
await "coap-server" coap-client-notls -m put -e 0123456789abcdef "coap://127.0.0.1:$theirs/example_data"

# measure NAME PID URI OPTIONS...: a load, and what the server has used for it.
measure() {
  local name="$1" pid="$2" uri="$3"; shift 3
  local before after line answers
  before="$(cpu_ticks "$pid")"
  line="$("$binary" coap bench "$uri" --duration "$seconds" "$@")" || true
  after="$(cpu_ticks "$pid")"
  answers="$(awk '{ print $2 }' <<<"$line")"
  awk -v name="$name" -v answers="$answers" -v ticks="$((after - before))" -v kb="$(resident_kb "$pid")" -v line="$line" -v hz="$(getconf CLK_TCK)" 'BEGIN {
    cpu = ticks / hz
    printf "%-34s %9.0f per CPU-second  %8.1f MB  (%s)\n", name, (cpu > 0 ? answers / cpu : 0), kb / 1024, line
  }'
}

echo "$("$binary" --version 2>/dev/null | head -1); libcoap $(coap-server-notls -h 2>&1 | grep -o 'v[0-9][0-9.]*' | head -1); $seconds s each"
# bytes_each WHAT PID CLIENTS URI OPTIONS...: what the server grows by, for each of so many clients of a load.
bytes_each() {
  local what="$1" pid="$2" clients="$3" before line; shift 3
  before="$(resident_kb "$pid")"
  line="$("$binary" coap bench "$@" --clients "$clients")" || true
  echo "$what: $(( ($(resident_kb "$pid") - before) * 1024 / clients )) bytes each ($line)"
}

for round in 1 2; do
  measure "get, ours" "${pids[0]}" "coap://127.0.0.1:$ours/ps/bench"
  measure "get, coap-server" "${pids[1]}" "coap://127.0.0.1:$theirs/example_data"
  measure "put of 16 bytes, ours, not kept" "${pids[0]}" "coap://127.0.0.1:$ours/ps/event?q=0&retain=0" --put 16
  measure "put of 16 bytes, ours, on disk" "${pids[0]}" "coap://127.0.0.1:$ours/ps/bench" --put 16
  measure "put of 16 bytes, coap-server" "${pids[1]}" "coap://127.0.0.1:$theirs/example_data" --put 16
done

# Afterwards, since coap-server is slower as long as it remembers these. The values are not kept: behind so many on disk each would wait for its commit (up to a
# second, see storage.commits_per_second), and that would be measured.
measure "fan-out to 1,000 observers, ours" "${pids[0]}" "coap://127.0.0.1:$ours/ps/fan?retain=0" --clients 1000 --observe
measure "fan-out to 1,000, coap-server" "${pids[1]}" "coap://127.0.0.1:$theirs/example_data" --clients 1000 --observe
# A short load, or what is measured is the exchanges that are remembered so that no duplicate is carried out: 64 of a peer at most.
bytes_each "10,000 peers, ours" "${pids[0]}" 10000 "coap://127.0.0.1:$ours/ps/bench" --duration 0.2
bytes_each "10,000 peers, coap-server, which forgets the idle" "${pids[1]}" 10000 "coap://127.0.0.1:$theirs/example_data" --duration 0.2
