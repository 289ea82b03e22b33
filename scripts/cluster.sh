#!/usr/bin/env bash
# Three published brokers on loopback that are one cluster: starts them, forms it, prints how it is, and serves until ENTER or Ctrl-C.
#   scripts/cluster.sh [DIRECTORY]      MQTT on 127.0.0.1:18831, :18832 and :18833; the data stays in DIRECTORY where one is named
set -euo pipefail
if [ $# -gt 1 ] || [[ "${1:-}" = -* ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 64
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "$(uname -m)" in
  aarch64) rid=linux-arm64 ;;
  *) rid=linux-x64 ;;
esac
binary="${EDGEBROKER_BINARY:-artifacts/$rid/edgebroker}"
[ -x "$binary" ] || scripts/publish.sh "$rid"
binary="$(realpath "$binary")"
directory="${1:-}"
pids=()
if [ -z "$directory" ]; then
  directory="$(mktemp -d)"
  trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$directory"' EXIT
else
  trap 'kill "${pids[@]}" 2>/dev/null || true; wait' EXIT
fi

for node in 1 2 3; do
  mkdir -p "$directory/$node"
  cat > "$directory/$node/broker.toml" <<TOML
[node]
name = "node-$node"
data_dir = "data"
[[listener]]
protocol = "mqtt"
address = "127.0.0.1:1883$node"
[cluster]
node_id = $node
bind = "127.0.0.1:1794$node"
peers = { 1 = "127.0.0.1:17941", 2 = "127.0.0.1:17942", 3 = "127.0.0.1:17943" }
raft_bind = "127.0.0.1:1795$node"
raft_peers = { 1 = "127.0.0.1:17951", 2 = "127.0.0.1:17952", 3 = "127.0.0.1:17953" }
TOML
  (cd "$directory/$node" && exec "$binary" -c broker.toml > broker.log 2>&1) &
  pids+=($!)
done

# Waits until a node says something of the cluster: the whole answer has it.
says() {
  for _ in $(seq 300); do
    if grep -q "$2" <<< "$("$binary" cluster status --json -c "$directory/$1/broker.toml" 2> /dev/null)"; then return; fi
    sleep 0.1
  done
  echo "node $1 does not say $2" >&2
}

for node in 1 2 3; do
  says "$node" '"state":"linked".*"state":"linked"'
done
# In a directory that has been here before it is formed already.
if grep -q '"state":"forming"' <<< "$("$binary" cluster status --json -c "$directory/1/broker.toml")"; then
  "$binary" cluster init -c "$directory/1/broker.toml"
fi
for node in 1 2 3; do
  says "$node" '"state":"Up".*"state":"Up".*"state":"Up"'
  "$binary" cluster status -c "$directory/$node/broker.toml"
  echo
done
if [ -t 0 ]; then
  echo "ENTER ends them"
  read -r
else
  echo "no terminal to wait at: they end now"
fi
