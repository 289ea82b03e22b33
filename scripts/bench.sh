#!/usr/bin/env bash
# Measures this broker against Debian's mosquitto and prints a Markdown table of ratios on standard output; progress goes to standard error.
#   scripts/bench.sh [options]
#     --rounds N          runs of each line and broker, of which the median counts (5)
#     --seconds S         measured time of a run (3)
#     --quick             one round of a second, fewer clients: shows that it works, not how fast it is
#     --only NAME[,NAME]  these lines only; --list names them, and patterns such as 'fair-*' are understood
#     --binary PATH       the broker to measure; without it, it is published from these sources
#     --generator PATH    whose bench generates the load; default: the same binary
#     --mosquitto PATH    the other broker; default: the one on the PATH, installed if there is none
# The broker runs on CPU 0 and the generator on CPU 1, each run has a fresh broker, and the brokers alternate. Everything stays on the loopback;
# what was measured stays in artifacts/bench/. Exit 1 when a run failed: a broker that loses messages is not fast.
# The lines "store-..." have one publisher that waits for acknowledgements of what must be stored: for a subscriber that is away, or retained. mosquitto keeps
# it in memory and, configured as Debian has it, writes it down every half hour; ours is on disk, flushed, when it is acknowledged.
# The lines "tls-..." have their load from python3 (tests/EdgeBroker.Benchmarks/tls/load.py), over TLS 1.3.
# The lines "fair-..." put twenty clients beside a scenario, each of which publishes to itself, waits, and publishes again: what others have of the load. Their
# round trips end when the kernel has the message, so that a generator without time left does not count.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# Broker and generator need a descriptor for each connection, and some more.
most="$(ulimit -Hn)"
[[ "$most" =~ ^[0-9]+$ ]] || most=20500
rounds=5 seconds=3 warm_up=1 connections=$((most < 20500 ? most - 500 : 20000)) retained=100000 only="" list=false
tls_connections=$((connections < 2000 ? connections : 2000))
binary="" generator="" mosquitto=""

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 64
}

while [ $# -gt 0 ]; do
  case "$1" in
    --quick) rounds=1 seconds=1 warm_up=0.3 connections=500 retained=10000 tls_connections=200 ;;
    --list) list=true ;;
    --rounds | --seconds | --only | --binary | --generator | --mosquitto)
      [ $# -gt 1 ] || usage
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    *) usage ;;
  esac
  shift
done
[[ "$rounds" =~ ^[1-9][0-9]*$ && "$seconds" =~ ^[0-9]+(\.[0-9]+)?$ ]] || usage

# With few messages on their way a broker faster than the generator gets and sends them in small pieces; with more it shows what it can.
more="--window 256 --batch 32"

# Name, arguments of the generator. What is shown of each is in table_rows.
runs=(
  "fan-in|fan-in"
  "fan-out-100|fan-out"
  "fan-out-1000|fan-out --subscribers 1000"
  "pairs-0|pairs"
  "pairs-1|pairs -q 1"
  "pairs-2|pairs -q 2"
  "pairs-1-v5|pairs -q 1 -V 5 --properties --aliases"
  "wild|wild"
  "shared|shared"
  "pairs-0-more|pairs $more"
  "pairs-1-more|pairs -q 1 $more"
  "pairs-2-more|pairs -q 2 $more"
  "pairs-1-v5-more|pairs -q 1 -V 5 --properties --aliases $more"
  "wild-more|wild $more"
  "pairs-1-1k|pairs -q 1 --payload 1024"
  "pairs-1-16k|pairs -q 1 --payload 16384"
  "retain|retain --retained $retained --subscribers 10"
  "stops-quiet|stops quiet"
  "stops-lie|stops lie"
  "stops-sent|stops sent"
  "stops-set|stops set"
  "latency|latency"
  "connect|connect --connections $connections"
  "connect-subscribe|connect --connections $connections --subscribe"
  "store-1|store --window 1 --batch 1"
  "store-20|store --window 20 --batch 1"
  "store-64|store --batch 1"
  "store-retain-1|store --retain --window 1 --batch 1"
  "store-retain-20|store --retain --window 20 --batch 1"
  "store-retain-64|store --retain --batch 1"
  "start|start"
  "tls-messages|tls messages"
  "tls-handshakes|tls handshakes"
  "tls-idle|tls idle --connections $tls_connections"
)

# Name of the run, figure of its result, whether more or less is better, what it is, and the unit: a divisor.
table_rows=(
  "fan-in|per_broker_cpu_s|more|50 publishers to 1 subscriber, QoS 0|1000 messages per CPU-second|1000"
  "fan-out-100|per_broker_cpu_s|more|1 publisher to 100 subscribers, QoS 0|1000 messages per CPU-second|1000"
  "fan-out-1000|per_broker_cpu_s|more|1 publisher to 1000 subscribers, QoS 0|1000 messages per CPU-second|1000"
  "pairs-0|per_broker_cpu_s|more|50 pairs, QoS 0|1000 messages per CPU-second|1000"
  "pairs-1|per_broker_cpu_s|more|50 pairs, QoS 1|1000 messages per CPU-second|1000"
  "pairs-2|per_broker_cpu_s|more|50 pairs, QoS 2|1000 messages per CPU-second|1000"
  "pairs-1-v5|per_broker_cpu_s|more|50 pairs, QoS 1, MQTT 5 with properties and aliases|1000 messages per CPU-second|1000"
  "wild|per_broker_cpu_s|more|10,000 filters on 50,000 topics, QoS 0|1000 messages per CPU-second|1000"
  "shared|per_broker_cpu_s|more|shared group of 4, QoS 0|1000 messages per CPU-second|1000"
  "pairs-0-more|per_broker_cpu_s|more|50 pairs, QoS 0, 256 messages on their way each|1000 messages per CPU-second|1000"
  "pairs-1-more|per_broker_cpu_s|more|50 pairs, QoS 1, 256 messages on their way each|1000 messages per CPU-second|1000"
  "pairs-2-more|per_broker_cpu_s|more|50 pairs, QoS 2, 256 messages on their way each|1000 messages per CPU-second|1000"
  "pairs-1-v5-more|per_broker_cpu_s|more|50 pairs, QoS 1, MQTT 5 with properties and aliases, 256 messages on their way each|1000 messages per CPU-second|1000"
  "wild-more|per_broker_cpu_s|more|10,000 filters on 50,000 topics, QoS 0, 256 messages on their way each|1000 messages per CPU-second|1000"
  "pairs-1-1k|per_broker_cpu_s|more|50 pairs, QoS 1, 1 KB|1000 messages per CPU-second|1000"
  "pairs-1-16k|per_broker_cpu_s|more|50 pairs, QoS 1, 16 KB|1000 messages per CPU-second|1000"
  "retain|per_broker_cpu_s|more|retained messages to 10 new subscribers|1000 messages per CPU-second|1000"
  "stops-quiet|latency_p999_us|less|beside $retained retained messages that lie there, 45 messages/s: 99.9 %|ms|1000"
  "stops-quiet|latency_max_us|less|the same: longest|ms|1000"
  "stops-quiet|retained_bytes_each|less|memory of a retained message of 64 bytes|B|1"
  "stops-lie|latency_p999_us|less|beside $retained retained messages that lie there, 5,000 messages/s: 99.9 %|ms|1000"
  "stops-lie|latency_max_us|less|the same: longest|ms|1000"
  "stops-sent|latency_p999_us|less|beside $retained retained messages that are sent to ten subscribers: 99.9 %|ms|1000"
  "stops-sent|latency_max_us|less|the same: longest|ms|1000"
  "stops-set|latency_p999_us|less|beside $retained retained messages that are set ten times: 99.9 %|ms|1000"
  "stops-set|latency_max_us|less|the same: longest|ms|1000"
  "latency|latency_p50_us|less|5,000 messages/s, QoS 1: median on the way|ms|1000"
  "latency|latency_p99_us|less|5,000 messages/s, QoS 1: 99 % on the way|ms|1000"
  "connect|per_broker_cpu_s|more|connects|1000 per CPU-second|1000"
  "connect|broker_rss_before|less|memory, idle|MB|1048576"
  "connect|broker_bytes_each|less|memory of an idle connection|KB|1024"
  "connect-subscribe|broker_bytes_each|less|memory of an idle connection with a subscription|KB|1024"
  "store-1|per_s|more|1 publisher, stored for one who is away, waiting for each acknowledgement|messages a second|1"
  "store-20|per_s|more|the same, 20 messages on their way|messages a second|1"
  "store-64|per_s|more|the same, 64 messages on their way|messages a second|1"
  "store-retain-1|per_s|more|1 publisher, retained, waiting for each acknowledgement|messages a second|1"
  "store-retain-20|per_s|more|the same, 20 messages on their way|messages a second|1"
  "store-retain-64|per_s|more|the same, 64 messages on their way|messages a second|1"
  "store-1|broker_written_each|less|written to disk for each stored message|bytes|1"
  "store-64|broker_written_each|less|the same, 64 messages on their way|bytes|1"
  "start|start_ms|less|from the start to the first connection, empty store|ms|1"
  "tls-messages|per_broker_cpu_s|more|TLS: messages of 100 bytes|1000 messages per CPU-second|1000"
  "tls-handshakes|per_broker_cpu_s|more|TLS: handshakes, ECDSA P-256|per CPU-second|1"
  "tls-idle|broker_bytes_each|less|TLS: memory of an idle connection|KB|1024"
)

# Each line of throughput once more, with clients beside it that wait for their messages.
for row in "${table_rows[@]}"; do
  IFS='|' read -r name figure _ title _ <<<"$row"
  if [ "$figure" != per_broker_cpu_s ] || [ "$name" = retain ] || [ "$name" = connect ] || [[ "$name" == tls-* || "$name" == store-* ]]; then continue; fi
  for run in "${runs[@]}"; do
    if [ "${run%%|*}" = "$name" ]; then runs+=("fair-$name|${run#*|} --beside 20"); fi
  done
  table_rows+=(
    "fair-$name|beside_p50_us|less|20 clients beside it: $title: median|ms|1000"
    "fair-$name|beside_p99_us|less|20 clients beside it: $title: 99 %|ms|1000"
  )
done

# wants NAME: whether --only asks for it, or nothing is asked for.
wants() {
  local pattern
  [ -n "$only" ] || return 0
  for pattern in "${patterns[@]}"; do
    # shellcheck disable=SC2053 # a pattern
    if [[ "$1" == $pattern ]]; then return 0; fi
  done
  return 1
}

IFS=, read -ra patterns <<<"$only"
if "$list"; then
  printf '%s\n' "${runs[@]%%|*}"
  exit 0
fi
for pattern in "${patterns[@]}"; do
  known=false
  for name in "${runs[@]%%|*}"; do
    # shellcheck disable=SC2053 # a pattern
    if [[ "$name" == $pattern ]]; then known=true; fi
  done
  "$known" || usage
done

say() { echo "$*" >&2; }

"$REPO_ROOT/scripts/setup.sh" bench >&2
if [ -z "$binary" ]; then
  # Again: setup may just have installed the SDK.
  # shellcheck source=scripts/env.sh
  source "$REPO_ROOT/scripts/env.sh"
  "$REPO_ROOT/scripts/publish.sh" >&2
  binary="$REPO_ROOT/artifacts/$(host_rid)/edgebroker"
fi
[ -x "$binary" ] || { say "$binary cannot be run"; exit 64; }
binary="$(realpath "$binary")"
generator="$(realpath "${generator:-$binary}")"
[ -n "$mosquitto" ] || mosquitto="$(PATH="$PATH:/usr/sbin" command -v mosquitto)"

# Descriptors: one for each connection, on both sides.
ulimit -n "$(ulimit -Hn)"

work="$REPO_ROOT/artifacts/bench"
rm -rf "$work"
mkdir -p "$work"
results="$work/results.txt"
broker_pid="" start_us=0

# Certificates of the runs over TLS. mosquitto started as root reads its key as another user.
certs="$work/certs"
if "$binary" cert ca --dir "$certs" >/dev/null && "$binary" cert server --dir "$certs" localhost 127.0.0.1 >/dev/null; then
  chmod 644 "$certs/server.key"
else
  say "$binary cannot make certificates"
  exit 1
fi

stop_broker() {
  [ -n "$broker_pid" ] || return 0
  kill "$broker_pid" 2>/dev/null || true
  wait "$broker_pid" 2>/dev/null || true
  broker_pid=""
}
trap stop_broker EXIT
trap 'exit 130' INT TERM

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    listens "$port" || break
  done
  echo "$port"
}

# Two processors: one each. One processor: they share it, and only figures per CPU-second mean something.
on_cpu() {
  local cpu="$1"
  shift
  if [ "$(nproc)" -gt 1 ]; then taskset -c "$cpu" "$@"; else "$@"; fi
}

# write_mosquitto_conf PORT TLS STORES
write_mosquitto_conf() {
  cat >"$work/mosquitto.conf" <<CONF
listener $1 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
set_tcp_nodelay true
log_type error
CONF
  if "$3"; then
    rm -rf "$work/mosquitto"
    # mosquitto started as root writes as another user.
    mkdir -m 777 "$work/mosquitto"
    printf '%s\n' "persistence true" "persistence_location $work/mosquitto/" >>"$work/mosquitto.conf"
  fi
  if "$2"; then printf '%s\n' "certfile $certs/server.crt" "keyfile $certs/server.key" >>"$work/mosquitto.conf"; fi
}

# write_edgebroker_toml PORT TLS
write_edgebroker_toml() {
  local protocol=mqtt tls=""
  if "$2"; then
    protocol=mqtts
    tls="$(printf '%s\n' "[listener.tls]" "cert = \"$certs/server.crt\"" "key = \"$certs/server.key\"")"
  fi
  cat >"$work/edgebroker.toml" <<TOML
[node]
data_dir = "data"
[[listener]]
protocol = "$protocol"
address = "127.0.0.1:$1"
max_connections = 30_000
$tls
[mqtt]
receive_maximum = 1000
max_queued_messages = 1_000_000
max_queued_bytes = "1GB"
max_outbound_bytes = "64MB"
[log]
level = "error"
TOML
}

# start_broker NAME PORT TLS STORES: in the background, until it listens, which took so many microseconds of start_us.
start_broker() {
  local command=() began
  if [ "$1" = mosquitto ]; then
    write_mosquitto_conf "$2" "$3" "$4"
    command=("$mosquitto" -c "$work/mosquitto.conf")
  else
    write_edgebroker_toml "$2" "$3"
    # Fresh in what it keeps, too: retained messages of an earlier run would weigh on the next.
    rm -rf "$work/data"
    command=("$binary" run -c "$work/edgebroker.toml")
  fi
  # taskset becomes the broker, so the number is the broker's. A subshell would have one of its own.
  if [ "$(nproc)" -gt 1 ]; then command=(taskset -c 0 "${command[@]}"); fi
  began="${EPOCHREALTIME/./}"
  "${command[@]}" >>"$work/$1.log" 2>&1 &
  broker_pid=$!
  local tries
  for ((tries = 0; tries < 5000; tries++)); do
    if listens "$2"; then
      start_us=$((${EPOCHREALTIME/./} - began))
      return 0
    fi
    kill -0 "$broker_pid" 2>/dev/null || break
    sleep 0.002
  done
  say "$1 does not listen; its log:"
  cat "$work/$1.log" >&2
  exit 1
}

failures=0

# measure NAME ARGUMENTS BROKER ROUND
measure() {
  local name="$1" broker="$3" round="$4" port line arguments=() load=() is_tls=false stores=false
  read -ra arguments <<<"$2"
  port="$(free_port)"
  if [ "${arguments[0]}" = tls ]; then is_tls=true; fi
  if [ "${arguments[0]}" = store ] || [ "${arguments[0]}" = start ]; then stores=true; fi
  start_broker "$broker" "$port" "$is_tls" "$stores"
  if [ "${arguments[0]}" = start ]; then
    echo "$name $broker {\"start_ms\":$((start_us / 1000)).$((start_us % 1000 / 100))}" >>"$results"
    stop_broker
    say "$name, round $round, $broker: $((start_us / 1000)) ms"
    return 0
  fi
  # What a broker lets go of after its start would be taken for memory that connections gave back.
  if [[ "${arguments[0]}" = connect ]]; then sleep 7; fi
  if "$is_tls"; then
    load=(python3 "$REPO_ROOT/tests/EdgeBroker.Benchmarks/tls/load.py" "${arguments[@]:1}" --ca "$certs/ca.crt" --seconds "$seconds")
  else
    if [[ "${arguments[0]}" != connect && "${arguments[0]}" != retain ]]; then arguments+=(--duration "$seconds" --warm-up "$warm_up"); fi
    load=("$generator" bench "${arguments[@]}" --timeout 20 -h 127.0.0.1 --json)
  fi
  if line="$(on_cpu 1 "${load[@]}" -p "$port" --broker-pid "$broker_pid" 2>>"$work/generator.log")"; then
    echo "$name $broker $line" >>"$results"
  else
    failures=$((failures + 1))
    say "FAILED: $name, $broker: ${line:-$(tail -n 1 "$work/generator.log")}"
  fi
  stop_broker
  say "$name, round $round, $broker: $(figure per_s <<<"$line") per second, $(figure per_broker_cpu_s <<<"$line") per CPU-second, limit: $(sed -n 's/.*"limit":"\([a-z]*\)".*/\1/p' <<<"$line")$(beside_of <<<"$line")"
}

# measure_stops NAME SCENARIO BROKER ROUND: what others notice of retained messages; starts brokers of its own.
measure_stops() {
  local line
  if line="$(python3 "$REPO_ROOT/tests/EdgeBroker.Benchmarks/retained.py" --binary "$binary" --mosquitto "$mosquitto" --retained "$retained" --json "$2" --broker "$3" 2>>"$work/generator.log")"; then
    echo "$1 $3 $line" >>"$results"
  else
    failures=$((failures + 1))
    say "FAILED: $1, $3: $(tail -n 1 "$work/generator.log")"
  fi
  say "$1, round $4, $3: 99.9 % $(figure latency_p999_us <<<"$line") us, longest $(figure latency_max_us <<<"$line") us"
}

# The figures of a name, one a line, from flat JSON on standard input.
figure() { sed -n "s/.*\"$1\":\(-\{0,1\}[0-9.]*\(E[-+]\{0,1\}[0-9]*\)\{0,1\}\)[,}].*/\1/p"; }

# What the clients beside the load had of it, for a line of progress; nothing if there were none.
beside_of() {
  local line done_beside
  line="$(cat)"
  done_beside="$(figure beside_done <<<"$line")"
  [ -n "$done_beside" ] || return 0
  echo "; beside: $done_beside round trips, median $(figure beside_p50_us <<<"$line") us, 99 % $(figure beside_p99_us <<<"$line") us"
}

# median RUN BROKER FIGURE
median() {
  sed -n "s/^$1 $2 //p" "$results" | figure "$3" | sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# limit RUN: what held ours back in most of its rounds.
limit() {
  sed -n "s/^$1 edgebroker .*\"limit\":\"\([a-z]*\)\".*/\1/p" "$results" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

started="$SECONDS"
: >"$results"
for run in "${runs[@]}"; do
  name="${run%%|*}"
  wants "$name" || continue
  for ((round = 1; round <= rounds; round++)); do
    # In turn first and second: what changes over time meets both alike.
    if ((round % 2)); then brokers=(mosquitto edgebroker); else brokers=(edgebroker mosquitto); fi
    for broker in "${brokers[@]}"; do
      case "${run#*|}" in
        stops\ *) measure_stops "$name" "${run##* }" "$broker" "$round" ;;
        *) measure "$name" "${run#*|}" "$broker" "$round" ;;
      esac
    done
  done
done

version_of_mosquitto="$("$mosquitto" -h 2>/dev/null | sed -n '1s/mosquitto version \([^ ]*\).*/\1/p' || true)"
echo "Medians of $rounds run(s) of $seconds s; $(date -u +%F), $(uname -m), Linux $(uname -r), $("$binary" version), mosquitto ${version_of_mosquitto:-unknown}."
echo
echo "| | unit | mosquitto | EdgeBroker | times better | limit |"
echo "|---|---|---:|---:|---:|---|"
for row in "${table_rows[@]}"; do
  IFS='|' read -r name figure better title unit divisor <<<"$row"
  theirs="$(median "$name" mosquitto "$figure")"
  ours="$(median "$name" edgebroker "$figure")"
  if [ -z "$theirs" ] || [ -z "$ours" ]; then continue; fi
  awk -v theirs="$theirs" -v ours="$ours" -v better="$better" -v title="$title" -v unit="$unit" -v divisor="$divisor" -v limit="$(limit "$name")" '
    function digits(value) { return sprintf(value >= 100 ? "%.0f" : "%.3g", value) }
    BEGIN {
    ratio = "-"
    if (theirs > 0 && ours > 0) ratio = sprintf("%.1f", better == "more" ? ours / theirs : theirs / ours)
    printf "| %s | %s | %s | %s | %s | %s |\n", title, unit, digits(theirs / divisor), digits(ours / divisor), ratio, limit
  }'
done
say "$((SECONDS - started)) s"
if [ "$failures" -gt 0 ]; then
  say "$failures run(s) failed"
  exit 1
fi
