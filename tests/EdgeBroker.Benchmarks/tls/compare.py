#!/usr/bin/env python3
"""TLS figures of two brokers in one run, alternating: handshakes and messages per CPU-second of the broker, memory for each idle connection.

  compare.py CA_FILE NAME=PORT:PID NAME=PORT:PID        both listen for MQTT over TLS on localhost, anonymous clients allowed

Prints one line a round and broker, and the medians' ratio, first to second, at the end.
"""

import os
import socket
import ssl
import statistics
import struct
import sys
import time

ROUNDS = 5
HANDSHAKES = 300
IDLE = 300
MESSAGES = 400_000
PAYLOAD = b"x" * 100
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))


def packet(kind, body):
    length, encoded = len(body), b""
    while True:
        encoded += bytes([length % 128 | (128 if length > 127 else 0)])
        length //= 128
        if length == 0:
            return bytes([kind]) + encoded + body


def connect_packet(name):
    return packet(0x10, b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name.encode())


class Client:
    def __init__(self, context, port, name):
        plain = socket.create_connection(("127.0.0.1", port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = context.wrap_socket(plain, server_hostname="localhost")
        self.stream.sendall(connect_packet(name))
        assert self.read(4) == b"\x20\2\0\0", "refused"

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.stream.recv(count - len(data))
            assert more, "the broker closed the connection"
            data += more
        return data

    def ping(self):
        self.stream.sendall(b"\xc0\0")
        assert self.read(2) == b"\xd0\0"


def handshakes(context, port, pid):
    before = cpu_seconds(pid)
    for i in range(HANDSHAKES):
        client = Client(context, port, f"h{i}")
        client.stream.sendall(b"\xe0\0")
        client.stream.close()
    return HANDSHAKES / (cpu_seconds(pid) - before)


def idle(context, port, pid):
    # What the first connections cost once is not counted.
    first = [Client(context, port, f"f{i}") for i in range(100)]
    time.sleep(3)
    before = resident_kb(pid)
    clients = [Client(context, port, f"i{i}") for i in range(IDLE)]
    for client in clients:
        client.ping()
    time.sleep(3)  # both tidy up by their own clocks
    used = (resident_kb(pid) - before) / IDLE
    for client in first + clients:
        client.stream.sendall(b"\xe0\0")
        client.stream.close()
    return used


def publishing(context, port, pid):
    subscriber = Client(context, port, "s")
    subscriber.stream.sendall(packet(0x82, b"\0\1\0\1a\0"))
    subscriber.read(5)
    publisher = Client(context, port, "p")
    message = packet(0x30, b"\0\1a" + PAYLOAD)
    batch = message * 100
    before = cpu_seconds(pid)
    for _ in range(MESSAGES // 100):
        publisher.stream.sendall(batch)
        subscriber.read(len(batch))
    return MESSAGES / (cpu_seconds(pid) - before)


def main():
    context = ssl.create_default_context(cafile=sys.argv[1])
    brokers = [(name, int(place.split(":")[0]), int(place.split(":")[1])) for name, place in (argument.split("=") for argument in sys.argv[2:4])]
    measures = [("KB for each idle connection", idle), ("handshakes per CPU-second", handshakes), ("messages per CPU-second", publishing)]
    for title, measure in measures:
        results = {name: [] for name, _, _ in brokers}
        # Memory that a broker keeps for the next connections would be counted as nothing the second time.
        for _ in range(1 if measure is idle else ROUNDS):
            for name, port, pid in brokers:
                results[name].append(measure(context, port, pid))
                print(f"{name}: {results[name][-1]:.1f} {title}", flush=True)
        medians = [statistics.median(results[name]) for name, _, _ in brokers]
        print(f"{brokers[0][0]} / {brokers[1][0]}: {medians[0] / medians[1]:.2f} ({title})", flush=True)


main()
