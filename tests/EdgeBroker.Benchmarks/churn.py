#!/usr/bin/env python3
"""How much subscriptions that come and go slow publishing down: bench runs against a real broker in turn without and with a client that subscribes and unsubscribes.

  tests/EdgeBroker.Benchmarks/churn.py --binary artifacts/linux-x64/edgebroker [--scenario wild] [--rate 10000] [--rounds 5] [--seconds 3]

Every round prints messages per CPU-second of the broker; what the churn itself costs it is in them. The filters that come and go are of four shapes, among them two below the
topics published to; none matches. The last line is the ratio of the medians. Broker on CPU 0, the rest on CPU 1, everything on the loopback."""
import argparse
import os
import socket
import statistics
import sys
import threading
import time

from broker_runs import bench, broker


def packet(header, body):
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([header]) + bytes(encoded) + body


def text(value):
    value = value.encode()
    return len(value).to_bytes(2, "big") + value


def filter_of(number):
    return (f"churn/{number}", f"churn/{number}/+", f"bench/a{number}/none/+", f"bench/+/none/{number}")[number % 4]


class Churn(threading.Thread):
    """Subscribes and unsubscribes at a rate, both counted as one, a few hundred times a second in batches. Keeps a thousand filters."""

    KEPT = 1000

    def __init__(self, port, rate):
        super().__init__(daemon=True)
        self.rate = rate
        self.done = 0
        self.failure = None
        self.stopping = threading.Event()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(packet(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text("churn")))
        if self.socket.recv(4) != b"\x20\x02\x00\x00":
            raise RuntimeError("the broker refuses the churning client")

    def run(self):
        try:
            reader = threading.Thread(target=self.read, daemon=True)
            reader.start()
            began = time.monotonic()
            while not self.stopping.wait(0.002):
                due = int((time.monotonic() - began) * self.rate)
                batch = bytearray()
                for number in range(self.done, due):
                    packet_id = (number % 65535 + 1).to_bytes(2, "big")
                    batch += packet(0x82, packet_id + text(filter_of(number)) + b"\x00")
                    if number >= self.KEPT:
                        batch += packet(0xA2, packet_id + text(filter_of(number - self.KEPT)))
                if batch:
                    self.socket.sendall(batch)
                self.done = max(self.done, due)
            self.socket.close()
        except OSError as failure:
            self.failure = failure

    def read(self):
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass  # Closed: the run is over.


def measure(binary, arguments, rate):
    with broker(binary, "0") as (process, port):
        churn = Churn(port, rate) if rate else None
        if churn:
            churn.start()
        began = time.monotonic()
        result = bench(binary, arguments, process, port, "1")
        elapsed = time.monotonic() - began
        if churn:
            churn.stopping.set()
            churn.join()
            if churn.failure:
                raise churn.failure
            if churn.done < 0.9 * rate * elapsed:
                print(f"only {churn.done / elapsed:.0f} filters a second came and went", file=sys.stderr)
        return result["per_broker_cpu_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--scenario", default="wild", help="of bench, with its options")
    parser.add_argument("--rate", type=int, default=10_000, help="filters a second that come, and as many that go")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    arguments = options.scenario.split() + ["--duration", str(options.seconds), "--warm-up", "1"]
    quiet, churned = [], []
    for number in range(options.rounds):
        quiet.append(measure(os.path.abspath(options.binary), arguments, 0))
        churned.append(measure(os.path.abspath(options.binary), arguments, options.rate))
        print(f"round {number + 1}: {quiet[-1]:,.0f} without, {churned[-1]:,.0f} with churn")
    print(f"{options.scenario}: {statistics.median(churned) / statistics.median(quiet):.3f} of the messages per CPU-second are left at {options.rate:,} filters a second")


if __name__ == "__main__":
    main()
