#!/usr/bin/env python3
"""How long a restart takes: from the start of the process until a client is connected, with a store of 100,000 sessions (one subscription each), with one of
1,000,000 retained messages of 64 bytes, and with an empty one.

  tests/EdgeBroker.Benchmarks/restart.py --binary artifacts/linux-x64/edgebroker [--sessions 100000] [--retained 1000000] [--rounds 3]

Prints medians of the rounds: the store as a stop leaves it, and as a kill does, which has its pages checked; and what a service manager was told meanwhile."""
import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

from broker_runs import free_port, on_cpus
from retained import encoded, packet, set_all, text

CONFIGURATION = """[node]
data_dir = "data"
[[listener]]
protocol = "mqtt"
address = "127.0.0.1:{port}"
max_connections = 30_000
[mqtt]
max_queued_messages = 1_000_000
[limits]
max_sessions = 1_000_000
max_retained = 2_000_000
[log]
level = "error"
"""
TIMEOUT_S = 300
AT_A_TIME = 500


def try_connect(port, client_id):
    """A connected client, or none while nobody listens."""
    try:
        client = socket.create_connection(("127.0.0.1", port))
    except OSError:
        return None
    client.sendall(packet(0x10, text(b"MQTT") + b"\4\0\0\x3c" + text(client_id)))
    if len(client.recv(4)) < 4:
        client.close()
        return None
    return client


class Broker:
    """One life of the broker in a directory."""

    def __init__(self, binary, directory, port):
        self.address = os.path.join(directory, "notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.address)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(self.address)
        self.notices.setblocking(False)
        began = time.monotonic()
        command = on_cpus("0") + [binary, "run", "-c", os.path.join(directory, "broker.toml")]
        self.process = subprocess.Popen(command, cwd=directory, env={**os.environ, "NOTIFY_SOCKET": self.address})
        until = began + TIMEOUT_S
        while (client := try_connect(port, b"probe")) is None:
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the broker does not listen")
            time.sleep(0.0005)
        self.seconds = time.monotonic() - began
        client.close()

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait()
        told = []
        with contextlib.suppress(BlockingIOError):
            while True:
                told.append(self.notices.recv(65536).decode())
        self.notices.close()
        return told


def make_sessions(port, count):
    """Clients that connect, subscribe and leave a session behind; many at a time, since each SUBACK waits for the disk."""
    for first in range(0, count, AT_A_TIME):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(min(AT_A_TIME, count - first))]
        for i, client in enumerate(clients, first):
            connect = packet(0x10, text(b"MQTT") + b"\4\0\0\x3c" + text(b"client-%d" % i))
            client.sendall(connect + packet(0x82, b"\0\1" + text(b"plant/line/%d/+" % i) + b"\1"))
        for client in clients:
            answer = b""
            while len(answer) < 9:
                part = client.recv(9 - len(answer))
                if not part:
                    raise RuntimeError("refused")
                answer += part
            client.sendall(b"\xe0\0")
            client.close()


def make_store(binary, directory, port, options, kind):
    broker = Broker(binary, directory, port)
    if kind == "sessions":
        make_sessions(port, options.sessions)
    elif kind == "retained":
        set_all(port, encoded(options.retained))
    broker.end(signal.SIGTERM)


def measure(binary, options, kind):
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        with open(os.path.join(directory, "broker.toml"), "w", encoding="ascii") as file:
            file.write(CONFIGURATION.replace("{port}", str(port)))
        if kind != "none":
            make_store(binary, directory, port, options, kind)
        seconds = {signal.SIGTERM: [], signal.SIGKILL: []}
        told = []
        for _ in range(options.rounds):
            for end in seconds:
                if kind == "none":
                    shutil.rmtree(os.path.join(directory, "data"), ignore_errors=True)
                else:
                    # As that end leaves it.
                    Broker(binary, directory, port).end(end)
                broker = Broker(binary, directory, port)
                seconds[end].append(broker.seconds)
                notices = broker.end(signal.SIGTERM)
                told = max(told, [one for one in notices if "STATUS=restoring" in one], key=len)
        return seconds, told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--retained", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["none", "empty", "sessions", "retained"])
    options = parser.parse_args()
    stores = {
        "none": "no store yet", "empty": "an empty store", "sessions": f"{options.sessions} sessions", "retained": f"{options.retained} retained messages",
    }
    for kind, what in stores.items():
        if options.only not in (None, kind):
            continue
        seconds, told = measure(os.path.abspath(options.binary), options, kind)
        stopped, killed = (statistics.median(seconds[end]) * 1000 for end in (signal.SIGTERM, signal.SIGKILL))
        print(f"{what}: {stopped:.1f} ms until a client is connected" + ("" if kind == "none" else f", {killed:.1f} ms after a kill"), flush=True)
        for notice in told:
            print("  " + notice.replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
