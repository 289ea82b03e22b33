#!/usr/bin/env python3
"""What stored messages cost the flash: bytes the kernel was given (/proc/PID/io) and flushes (the store's own count), for each message.

    flash.py [--generator PATH] [--seconds S] [--only NAME] BINARY ...

One publisher and a subscriber that is away; the longer it goes on, the less of it is the budget of commits. Then a client with a will that comes and goes,
by DISCONNECT and without; a broker that has nothing to do.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time

CASES = {
    "waiting for each": ["--window", "1", "--batch", "1"],
    "20 on their way": ["--window", "20", "--batch", "1"],
    "64 on their way": ["--batch", "1"],
    "1,000 on their way": ["--window", "1000", "--batch", "100"],
}
PORT = 28311
WILL = b"\x00\x04MQTT\x04\x06\x00\x3c\x00\x01w\x00\x0bstate/press\x00\x07offline"


def written(pid: int) -> int:
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


def fsyncs(binary: str, configuration: pathlib.Path) -> int:
    status = json.loads(subprocess.run([binary, "status", "-c", configuration, "--json"], capture_output=True, check=True).stdout)
    return next(meter["value"] for meter in status["meters"] if meter["name"] == "edgebroker.journal.fsyncs")


def listening() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0


def come_and_go(seconds: float, says_goodbye: bool) -> int:
    """How many connections with a will there were, fifty a second."""
    begin = time.monotonic()
    done = 0
    while time.monotonic() - begin < seconds:
        with socket.create_connection(("127.0.0.1", PORT)) as client:
            client.sendall(bytes([0x10, len(WILL)]) + WILL)
            if client.recv(4) != b"\x20\x02\x00\x00":
                raise RuntimeError("refused")
            if says_goodbye:
                client.sendall(b"\xe0\x00")
        done += 1
        time.sleep(max(0.0, begin + done / 50 - time.monotonic()))
    return done


def measure(binary: str, generator: str, case: object, seconds: float) -> str:
    with tempfile.TemporaryDirectory() as directory:
        configuration = pathlib.Path(directory, "broker.toml")
        configuration.write_text(
            f'[node]\ndata_dir = "{directory}/data"\n[[listener]]\nprotocol = "mqtt"\naddress = "127.0.0.1:{PORT}"\n'
            '[mqtt]\nreceive_maximum = 1000\nmax_queued_messages = 10_000_000\nmax_queued_bytes = "1GB"\n[log]\nlevel = "error"\n')
        broker = subprocess.Popen([binary, "run", "-c", configuration])
        try:
            while not listening():
                time.sleep(0.05)
            time.sleep(0.5)
            bytes_before, fsyncs_before = written(broker.pid), fsyncs(binary, configuration)
            if case is None:
                time.sleep(seconds)
                done = 0
            elif isinstance(case, bool):
                done = come_and_go(seconds, case)
                # The last ones are on their way to the disk.
                time.sleep(1)
            else:
                run = [generator, "bench", "store", *case, "-p", str(PORT), "-h", "127.0.0.1", "--warm-up", "0", "--duration", str(seconds),
                       "--broker-pid", str(broker.pid), "--timeout", "20", "--json"]
                result = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)
                done = result["done"]
                bytes_before, bytes_after = 0, result["broker_written_each"] * done
            flushes = fsyncs(binary, configuration) - fsyncs_before
            if case is None or isinstance(case, bool):
                bytes_after = written(broker.pid)
            each = max(done, 1)
            return (f"{done / seconds:,.0f} messages/s, {(bytes_after - bytes_before) / each:,.0f} bytes and {flushes / each:.3f} flushes each, "
                    f"{(bytes_after - bytes_before) / seconds / 1e6:.2f} MB/s, {flushes / seconds:.1f} flushes/s")
        finally:
            broker.terminate()
            broker.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="+", metavar="BINARY")
    parser.add_argument("--generator")
    parser.add_argument("--only", help="cases whose name has this in it")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    cases = {**CASES, "a will, goodbye": True, "a will, broken off": False, "idle": None}
    for name, case in cases.items():
        if options.only and options.only not in name:
            continue
        for binary in options.binaries:
            print(f"{name}, {os.path.basename(binary)}: {measure(binary, options.generator or binary, case, options.seconds)}", flush=True)


if __name__ == "__main__":
    main()
