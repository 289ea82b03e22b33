#!/usr/bin/env python3
"""Renews src/EdgeBroker/method-order.txt: which methods of the executable lie side by side.

  scripts/publish.sh && scripts/method-order.py

Runs the published broker (x64) with a breakpoint at the start of every method, each of which is taken away when it is met, and notes what is called while
nothing happens, while clients publish and subscribe, and while it starts. The compiler puts the methods of the list first, in its order (IlcOrderFile), and
all others behind them: so an idle broker has few pages of code resident, and what a busy one runs shares pages with what else it runs. Names mean the same on
every platform. A name that is no longer there is passed over, and a method that is not in the list is only farther away; so the list need not be renewed with
each change."""
import argparse
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "src/EdgeBroker/method-order.txt"
SECTION = "__managedcode"
BREAKPOINT = 0xCC

# <sys/ptrace.h>, <sys/wait.h>, struct user of x64.
TRACEME, CONTINUE, POKEUSER, PEEKUSER, SETOPTIONS = 0, 7, 6, 3, 0x4200
OPTION_CLONE, OPTION_EXIT_KILL = 1 << 3, 1 << 20
# Threads, too, but no children of other threads: the loads.
WAIT_ALL, WAIT_NO_THREAD = 0x40000000, 0x20000000
RIP = 16 * 8

HEADER = """\
# Methods that lie first in the executable, in this order: those of an idle broker, those of traffic, those of the start.
# Written by scripts/method-order.py, which says how and why.
"""

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, thread, address=0, data=0):
    return libc.ptrace(request, thread, address, data)


def section_of(binary):
    """Address, file offset and size of the managed code."""
    for line in subprocess.run(["readelf", "-SW", binary], check=True, capture_output=True, text=True).stdout.splitlines():
        fields = line.replace("[", " ").replace("]", " ").split()
        if len(fields) > 5 and fields[1] == SECTION:
            return int(fields[3], 16), int(fields[4], 16), int(fields[5], 16)
    raise SystemExit(f"{binary} has no section {SECTION}")


def methods_of(symbols, begin, end):
    """The names of methods by their addresses."""
    methods = {}
    for line in subprocess.run(["nm", symbols], check=True, capture_output=True, text=True).stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT" and begin <= int(fields[0], 16) < end:
            methods.setdefault(int(fields[0], 16), fields[2])
    return methods


class Traced:
    """A process all of whose methods tell once, in each phase, that they are called."""

    def __init__(self, command, binary, symbols, environment):
        self.begin, offset, size = section_of(binary)
        self.methods = methods_of(symbols, self.begin, self.begin + size)
        with open(binary, "rb") as file:
            file.seek(offset)
            self.code = bytearray(file.read(size))
        self.armed = bytearray(self.code)
        for address in self.methods:
            self.armed[address - self.begin] = BREAKPOINT
        self.phases = []
        self.pid = os.fork()
        if self.pid == 0:
            ptrace(TRACEME, 0)
            os.execve(command[0], command, environment)
        os.waitpid(self.pid, 0)
        ptrace(SETOPTIONS, self.pid, 0, OPTION_CLONE | OPTION_EXIT_KILL)
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR)
        self.enter()
        ptrace(CONTINUE, self.pid)

    def enter(self):
        """Begins the next phase: every method is told of again."""
        self.phases.append({})
        os.pwrite(self.memory, self.armed, self.begin)

    def run(self):
        """Until the process has ended; on the thread that has made this."""
        while True:
            thread, status = os.waitpid(-1, WAIT_ALL | WAIT_NO_THREAD)
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                if thread == self.pid:
                    return status
                continue
            number = os.WSTOPSIG(status)
            if number == signal.SIGTRAP:
                if status >> 16 == 0:
                    self.met(thread)
                number = 0
            elif number == signal.SIGSTOP:
                # How a new thread begins.
                number = 0
            ptrace(CONTINUE, thread, 0, number)

    def met(self, thread):
        address = (ptrace(PEEKUSER, thread, RIP) & (1 << 64) - 1) - 1
        name = self.methods.get(address)
        if name is None:
            return
        self.phases[-1].setdefault(name)
        os.pwrite(self.memory, self.code[address - self.begin:address - self.begin + 1], address)
        ptrace(POKEUSER, thread, RIP, address)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the broker does not listen")


LOADS = [
    ["pairs", "-q", "0"], ["pairs", "-q", "1"], ["pairs", "-q", "2"], ["pairs", "-q", "1", "-V", "5", "--properties", "--aliases"],
    ["fan-in"], ["fan-out", "--subscribers", "100"], ["wild"], ["shared"], ["pairs", "-q", "1", "--payload", "16384"],
]


def drive(traced, binary, port, failures):
    """Takes the broker through its phases: it starts, has clients, has none, ends."""
    try:
        wait_for(port)
        # What is done once, soon after the start, belongs to the start.
        time.sleep(10)
        traced.enter()
        for load in LOADS:
            subprocess.run([binary, "bench", *load, "--duration", "1", "--warm-up", "0.3", "--timeout", "60", "-h", "127.0.0.1", "-p", str(port)],
                           check=True, stdout=subprocess.DEVNULL)
        for load in (["retain", "--retained", "1000", "--subscribers", "2"], ["store", "--window", "20"], ["connect", "--connections", "100", "--subscribe"]):
            subprocess.run([binary, "bench", *load, "--timeout", "60", "-h", "127.0.0.1", "-p", str(port)], check=True, stdout=subprocess.DEVNULL)
        time.sleep(10)
        traced.enter()
        time.sleep(75)
    except BaseException as failure:  # pylint: disable=broad-except
        failures.append(failure)
    finally:
        os.kill(traced.pid, signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "artifacts/linux-x64/edgebroker"))
    parser.add_argument("--symbols", default=str(ROOT / "artifacts/symbols/linux-x64/edgebroker.dbg"))
    parser.add_argument("--output", default=str(LIST))
    arguments = parser.parse_args()
    work = tempfile.mkdtemp()
    port = free_port()
    configuration = os.path.join(work, "edgebroker.toml")
    with open(configuration, "w", encoding="ascii") as file:
        file.write(f'[node]\ndata_dir = "data"\n[[listener]]\nprotocol = "mqtt"\naddress = "127.0.0.1:{port}"\n[mqtt]\nreceive_maximum = 1000\n'
                   'max_queued_messages = 1_000_000\nmax_queued_bytes = "1GB"\n[log]\nlevel = "error"\n')
    failures = []
    try:
        traced = Traced([arguments.binary, "run", "-c", configuration], arguments.binary, arguments.symbols, dict(os.environ))
        driver = threading.Thread(target=drive, args=(traced, arguments.binary, port, failures))
        driver.start()
        status = traced.run()
        driver.join()
    finally:
        shutil.rmtree(work)
    if failures or status != 0:
        raise SystemExit(f"the broker's run failed: {failures} {status}")
    start, traffic, idle = traced.phases
    names = dict.fromkeys([*idle, *traffic, *start])
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(name + "\n" for name in names)
    print(f"{len(idle)} methods of an idle broker, {len(traffic)} of traffic, {len(start)} of the start, {len(names)} in all")


if __name__ == "__main__":
    main()
