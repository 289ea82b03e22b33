#!/usr/bin/env python3
"""Load over TLS on a broker, and what it costs the broker's process; prints one object of flat JSON, as `edgebroker bench --json` does.

  load.py messages   --ca FILE -p PORT --broker-pid PID --seconds S    messages of 100 bytes from one client to another, QoS 0
  load.py handshakes --ca FILE -p PORT --broker-pid PID --seconds S    connects, each a full handshake, CONNECT and DISCONNECT
  load.py idle       --ca FILE -p PORT --broker-pid PID --connections N

The broker lets anonymous clients in. `idle` counts what N further connections keep resident when they have been quiet for a while; what the first ones cost
once is not counted. Sessions are not resumed.
"""

import argparse
import json
import os
import socket
import ssl
import struct
import time

PAYLOAD = b"x" * 100
BATCH = 100
FIRST = 200
WARM_UP_SECONDS = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:")) * 1024


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

    def leave(self):
        self.stream.sendall(b"\xe0\0")
        self.stream.close()


def measured(pid, seconds, work):
    """Works for a while to warm up, then for the time given; returns units of work per second of the broker's processor time."""
    end = time.monotonic() + WARM_UP_SECONDS
    while time.monotonic() < end:
        work()
    done, before, end = 0, cpu_seconds(pid), time.monotonic() + seconds
    while time.monotonic() < end:
        done += work()
    return done / max(cpu_seconds(pid) - before, 1 / TICKS)


def handshakes(context, options):
    def work():
        Client(context, options.port, "h").leave()
        return 1

    return {"per_broker_cpu_s": measured(options.pid, options.seconds, work)}


def messages(context, options):
    subscriber = Client(context, options.port, "s")
    subscriber.stream.sendall(packet(0x82, b"\0\1\0\1a\0"))
    subscriber.read(5)
    publisher = Client(context, options.port, "p")
    batch = packet(0x30, b"\0\1a" + PAYLOAD) * BATCH

    def work():
        publisher.stream.sendall(batch)
        subscriber.read(len(batch))
        return BATCH

    return {"per_broker_cpu_s": measured(options.pid, options.seconds, work)}


def quiet_clients(context, options, prefix, count):
    clients = [Client(context, options.port, f"{prefix}{i}") for i in range(count)]
    for client in clients:
        client.ping()
    time.sleep(6)  # both tidy up by their own clocks
    return clients


def idle(context, options):
    first = quiet_clients(context, options, "f", FIRST)
    before = resident_bytes(options.pid)
    clients = quiet_clients(context, options, "i", options.connections)
    used = (resident_bytes(options.pid) - before) / options.connections
    for client in first + clients:
        client.leave()
    return {"broker_bytes_each": used}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["messages", "handshakes", "idle"])
    parser.add_argument("--ca", required=True)
    parser.add_argument("-p", dest="port", type=int, required=True)
    parser.add_argument("--broker-pid", dest="pid", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=2000)
    options = parser.parse_args()
    context = ssl.create_default_context(cafile=options.ca)
    figures = {"messages": messages, "handshakes": handshakes, "idle": idle}[options.what](context, options)
    # As the generator says it: what held the load back is the broker, or is not known.
    print(json.dumps(figures | {"limit": "unknown"}, separators=(",", ":")))


main()
