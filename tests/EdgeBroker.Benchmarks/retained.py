#!/usr/bin/env python3
"""How long others wait because of retained messages: 50 pairs at QoS 1, beside 100,000 (or --retained N) retained messages of 64 bytes that lie there, go to one subscriber of # after the other, or are set again and again.

  tests/EdgeBroker.Benchmarks/retained.py --binary artifacts/linux-x64/edgebroker [--mosquitto /usr/sbin/mosquitto] [--rounds 3] [--retained 1000000]

Prints medians of the rounds: latencies, how long it took until a subscriber had all or all were set, and what each takes of resident memory.
With --json and --broker it makes one run for scripts/bench.sh, of one of the scenarios: quiet, lie, sent, set."""
import argparse
import concurrent.futures
import json
import os
import socket
import statistics
import time

from broker_runs import bench, broker, mosquitto

PAYLOAD = b"x" * 64
TIMES = 10
REST_S = 0.4
SCENARIOS = {"quiet": "lie there, 45 messages a second", "lie": "lie there", "sent": "are sent", "set": "are set"}
FIGURES = [("50 %", "latency_p50_us"), ("99 %", "latency_p99_us"), ("99.9 %", "latency_p999_us"), ("at most", "latency_max_us")]


def text(value):
    return len(value).to_bytes(2, "big") + value


def packet(first, body):
    assert len(body) < 128
    return bytes([first, len(body)]) + body


def connect(port, client_id):
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(packet(0x10, text(b"MQTT") + b"\4\2\0\x3c" + text(client_id)))
    if client.recv(4) != b"\x20\2\0\0":
        raise RuntimeError("refused")
    return client


def encoded(count):
    """All of them, as they are set and as they are sent."""
    return b"".join(packet(0x31, text(b"retained/a%d/b%d/c%d" % (i // 1000, i // 10 % 100, i % 10)) + PAYLOAD) for i in range(count))


def others(scenario):
    """The arguments of bench: few messages for long where the broker is to be idle in between."""
    rate, duration = ("45", "30") if scenario == "quiet" else ("5000", "8")
    return ["pairs", "-q", "1", "--rate", rate, "--warm-up", "1", "--duration", duration]


def resident(process):
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))


def set_all(port, messages):
    """Returns once the broker has taken them."""
    with connect(port, b"loader") as client:
        client.sendall(messages + packet(0xC0, b""))
        client.recv(2)


def take_all(port, number, size, buffer):
    """Returns once a subscriber has them."""
    with connect(port, b"taker-%d" % number) as client:
        client.sendall(packet(0x82, b"\0\1" + text(b"#") + b"\0"))
        while size > 0:
            received = client.recv_into(buffer)
            if received == 0:
                raise RuntimeError("the broker closed the connection")
            size -= received


def run(open_broker, binary, messages, scenario):
    """The result of bench, with what all the messages take of resident memory, and the seconds each time took."""
    with open_broker() as (process, port), concurrent.futures.ThreadPoolExecutor() as pool:
        before = resident(process)
        set_all(port, messages)
        time.sleep(1)
        held = resident(process) - before
        latencies = pool.submit(bench, binary, others(scenario), process, port, "1")
        # Until bench has connected and warmed up.
        time.sleep(1.5)
        buffer = bytearray(1 << 20)
        seconds = []
        while scenario in ("sent", "set") and len(seconds) < TIMES and not latencies.done():
            began = time.monotonic()
            if scenario == "sent":
                take_all(port, len(seconds), len(messages), buffer)
            else:
                set_all(port, messages)
            seconds.append(time.monotonic() - began)
            time.sleep(REST_S)
        return {**latencies.result(), "retained_bytes": held}, seconds


def compare(brokers, binary, messages, options):
    for name, open_broker in brokers.items():
        for scenario, what in SCENARIOS.items():
            runs = [run(open_broker, binary, messages, scenario) for _ in range(options.rounds)]
            latencies = ", ".join(f"{label} {statistics.median(result[key] for result, _ in runs) / 1000:.3f} ms" for label, key in FIGURES)
            each = statistics.median(result["retained_bytes"] for result, _ in runs) / options.retained
            times = [s for _, seconds in runs for s in seconds]
            print(f"{name}, retained messages {what}: {latencies}; {each:.0f} bytes each" + (f"; each time {statistics.median(times):.3f} s" if times else ""), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--mosquitto", help="the executable to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--retained", type=int, default=100_000)
    parser.add_argument("--json", choices=SCENARIOS, help="one run of this scenario, printed as bench does")
    parser.add_argument("--broker", choices=["edgebroker", "mosquitto"], default="edgebroker", help="whose, with --json")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    binary = os.path.abspath(options.binary)
    messages = encoded(options.retained)
    brokers = {"edgebroker": lambda: broker(binary, "0")}
    if options.mosquitto:
        brokers["mosquitto"] = lambda: mosquitto(options.mosquitto, "0")
    if options.json:
        result, _ = run(brokers[options.broker], binary, messages, options.json)
        print(json.dumps({**result, "retained_bytes_each": result["retained_bytes"] / options.retained}, separators=(",", ":")))
    else:
        compare(brokers, binary, messages, options)


if __name__ == "__main__":
    main()
