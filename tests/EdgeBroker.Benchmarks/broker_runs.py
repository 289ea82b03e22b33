"""What the measuring scripts beside it share: fresh brokers on the loopback, and runs of bench against them."""
import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time

PORT_TRIES = 100


def on_cpus(numbers):
    """The prefix of a command that keeps it to these processors, where there are several."""
    return ["taskset", "-c", numbers] if (os.cpu_count() or 1) > 1 else []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def broker(binary, cpus):
    """Ours; yields its process and port, and ends it."""
    with running([binary, "run", "-c"], cpus, """[node]
data_dir = "data"
[[listener]]
protocol = "mqtt"
address = "127.0.0.1:{port}"
[mqtt]
receive_maximum = 1000
max_subscriptions_per_client = 1_000_000
max_queued_messages = 1_000_000
max_queued_bytes = "1GB"
max_outbound_bytes = "64MB"
[log]
level = "error"
""") as started:
        yield started


@contextlib.contextmanager
def mosquitto(binary, cpus):
    """The other one, with the same limits."""
    with running([binary, "-c"], cpus, """listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
set_tcp_nodelay true
log_type error
""") as started:
        yield started


@contextlib.contextmanager
def running(command, cpus, configuration):
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        path = os.path.join(directory, "broker.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(configuration.replace("{port}", str(port)))
        process = subprocess.Popen(on_cpus(cpus) + command + [path], cwd=directory)
        try:
            wait_until_it_listens(process, port)
            yield process, port
        finally:
            process.terminate()
            process.wait()


def wait_until_it_listens(process, port):
    for _ in range(PORT_TRIES):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    process.kill()
    raise RuntimeError("the broker does not listen")


def bench(binary, arguments, process, port, cpus):
    """Runs bench and returns its result; fails when a message was lost, repeated or reordered."""
    command = on_cpus(cpus) + [binary, "bench", *arguments, "-h", "127.0.0.1", "-p", str(port), "--broker-pid", str(process.pid), "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
