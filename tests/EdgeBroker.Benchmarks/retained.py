#!/usr/bin/env python3
"""What other clients notice of retained messages: 5,000 messages a second at QoS 1 in 50 pairs, beside 100,000 retained messages that lie there, go to one subscriber of # after the other, or are set again and again.

  tests/EdgeBroker.Benchmarks/retained.py --binary artifacts/linux-x64/edgebroker [--mosquitto /usr/sbin/mosquitto] [--rounds 3]

Prints medians of the rounds: latencies, and how long it took until a subscriber had all, or all were set."""
import argparse
import concurrent.futures
import os
import socket
import statistics
import time

from broker_runs import bench, broker, mosquitto

RETAINED = 100_000
PAYLOAD = b"x" * 64
TIMES = 10
REST_S = 0.4
OTHERS = ["pairs", "-q", "1", "--rate", "5000", "--warm-up", "1", "--duration", "8"]
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


def encoded():
    """All of them, as they are set and as they are sent."""
    return b"".join(packet(0x31, text(b"retained/a%d/b%d/c%d" % (i // 1000, i // 10 % 100, i % 10)) + PAYLOAD) for i in range(RETAINED))


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


def run(open_broker, binary, messages, what):
    """The result of bench, and the seconds each time took."""
    with open_broker() as (process, port), concurrent.futures.ThreadPoolExecutor() as pool:
        set_all(port, messages)
        others = pool.submit(bench, binary, OTHERS, process, port, "1")
        # Until bench has connected and warmed up.
        time.sleep(1.5)
        buffer = bytearray(1 << 20)
        seconds = []
        for number in range(0 if what == "lie there" else TIMES):
            began = time.monotonic()
            if what == "are sent":
                take_all(port, number, len(messages), buffer)
            else:
                set_all(port, messages)
            seconds.append(time.monotonic() - began)
            time.sleep(REST_S)
        return others.result(), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--mosquitto", help="the executable to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    binary = os.path.abspath(options.binary)
    messages = encoded()
    brokers = {"edgebroker": lambda: broker(binary, "0")}
    if options.mosquitto:
        brokers["mosquitto"] = lambda: mosquitto(options.mosquitto, "0")
    for name, open_broker in brokers.items():
        for what in ("lie there", "are sent", "are set"):
            runs = [run(open_broker, binary, messages, what) for _ in range(options.rounds)]
            latencies = ", ".join(f"{label} {statistics.median(result[key] for result, _ in runs) / 1000:.3f} ms" for label, key in FIGURES)
            times = [s for _, seconds in runs for s in seconds]
            print(f"{name}, retained messages {what}: {latencies}" + (f"; each time {statistics.median(times):.3f} s" if times else ""), flush=True)


if __name__ == "__main__":
    main()
