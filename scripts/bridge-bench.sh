#!/usr/bin/env bash
# bridge-bench.sh [MESSAGES [BYTES]]: one load over two bridges to the same broker, first mosquitto's, then EdgeBroker's, in one run (default 50,000 messages of
# 100 bytes, QoS 1; at most 65,535). For each: live (the other side is there) and drain (all of it waits first). Prints messages a second, CPU seconds and
# peak memory of the bridging broker. Needs mosquitto and its clients; EDGEBROKER_BINARY names the executable, by default the one that scripts/publish.sh makes.
set -euo pipefail
messages="${1:-50000}"
bytes="${2:-100}"
# mosquitto_pub leaves when the last message's packet identifier is acknowledged: with more messages than identifiers that is the wrong message.
if [ "$messages" -gt 65535 ]; then echo "at most 65535 messages" >&2; exit 64; fi
binary="${EDGEBROKER_BINARY:-$(dirname "$0")/../artifacts/linux-x64/edgebroker}"
directory="$(mktemp -d)"
started=()
stop_all() {
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$directory"
}
trap stop_all EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_listening() { for _ in $(seq 300); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; echo "nobody listens at $1" >&2; exit 1; }
cpu_seconds() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$1/stat"; }
peak_mb() { awk '/VmHWM/ { print $2 / 1024 }' "/proc/$1/status"; }

start_remote() {
  printf 'listener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n' "$remote" >"$directory/remote.conf"
  mosquitto -c "$directory/remote.conf" >"$directory/remote.log" 2>&1 &
  remote_process=$!
  started+=("$remote_process")
  until_listening "$remote"
}

start_local() {
  if [ "$1" = mosquitto ]; then
    cat >"$directory/local.conf" <<EOF
listener $local 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 1000
persistence true
persistence_location $directory/
connection up
address 127.0.0.1:$remote
bridge_protocol_version mqttv50
cleansession false
restart_timeout 1
topic plant/# out 1
EOF
    mosquitto -c "$directory/local.conf" >"$directory/local.log" 2>&1 &
  else
    cat >"$directory/broker.toml" <<EOF
[node]
data_dir = "$directory/data"
[[listener]]
protocol = "mqtt"
address = "127.0.0.1:$local"
[[bridge]]
name = "up"
addresses = ["127.0.0.1:$remote"]
client_id = "up"
retry = "1s"
max_retry = "1s"
  [[bridge.route]]
  local = "plant/#"
EOF
    "$binary" run -c "$directory/broker.toml" >"$directory/local.log" 2>&1 &
  fi
  local_process=$!
  started+=("$local_process")
  until_listening "$local"
}

publish() {
  awk -v n="$messages" -v b="$bytes" 'BEGIN { pad = sprintf("%" b "s", ""); for (i = 0; i < n; i++) print substr(i " " pad, 1, b) }' |
    mosquitto_pub -p "$local" -V 5 -q 1 -t plant/a -l
}

count_at_remote() {
  timeout 900 mosquitto_sub -p "$remote" -V 5 -q 1 -t 'plant/#' -C "$messages" >"$directory/came" &
  counter=$!
  started+=("$counter")
  # A bridge that brings nothing any more is not waited for.
  (
    last=-1
    while sleep 10 && kill -0 "$counter" 2>/dev/null; do
      now="$(stat -c %s "$directory/came")"
      if [ "$now" = "$last" ]; then kill "$counter" && echo "  nothing came any more"; fi
      last="$now"
    done
  ) &
  started+=("$!")
}

report() {
  awk -v n="$messages" -v s="$2" -v e="$3" -v c0="$4" -v c1="$5" -v m="$6" -v what="$1" \
    'BEGIN { printf "%-22s %8.0f messages/s  %6.2f s CPU  %6.1f MB peak\n", what, n / (e - s), c1 - c0, m }'
  sort -u "$directory/came" | wc -l | awk -v n="$messages" '$1 != n { print "  only " $1 " of " n " different messages came" }'
}

end() { kill "$1"; wait "$1" 2>/dev/null || true; }

run() {
  remote="$(free_port)"
  local="$(free_port)"
  start_remote
  start_local "$1"
  sleep 2
  count_at_remote
  sleep 0.5
  c0="$(cpu_seconds "$local_process")"; s="$(date +%s.%N)"
  publish
  wait "$counter" || true
  report "$1 live" "$s" "$(date +%s.%N)" "$c0" "$(cpu_seconds "$local_process")" "$(peak_mb "$local_process")"
  end "$remote_process"
  publish
  # Whoever counts must be there before the bridge is: its session is made while the bridge stands still.
  kill -STOP "$local_process"
  start_remote
  count_at_remote
  sleep 0.5
  c0="$(cpu_seconds "$local_process")"; s="$(date +%s.%N)"
  kill -CONT "$local_process"
  wait "$counter" || true
  report "$1 drain" "$s" "$(date +%s.%N)" "$c0" "$(cpu_seconds "$local_process")" "$(peak_mb "$local_process")"
  end "$local_process"
  end "$remote_process"
}

run mosquitto
run edgebroker
