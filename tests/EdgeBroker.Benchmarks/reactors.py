#!/usr/bin/env python3
"""What two reactors get done, against one: bench runs in turn against a broker on one processor and one on two.

  tests/EdgeBroker.Benchmarks/reactors.py --binary artifacts/linux-x64/edgebroker [--scenario "pairs -q 1"]... [--rounds 5] [--seconds 3]

On two processors broker and generator share them, so messages a second say nothing; messages per CPU-second of the broker do: two reactors do as much as one in the same processor time
when they do twice as much in twice of it. The generator has processors of its own where there are four. Prints medians, and twice their ratio."""
import argparse
import os
import statistics

from broker_runs import bench, broker

SCENARIOS = ["fan-in", "fan-out", "pairs", "pairs -q 1", "pairs -q 2", "wild", "shared"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--scenario", action="append", help="of bench, with its options; may stand several times")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    spare = (os.cpu_count() or 1) >= 4
    for scenario in options.scenario or SCENARIOS:
        arguments = scenario.split() + ["--duration", str(options.seconds), "--warm-up", "1"]
        figures = {1: [], 2: []}
        for number in range(options.rounds):
            # In turn first and second: what changes over time meets both alike.
            for reactors in (1, 2) if number % 2 == 0 else (2, 1):
                with broker(binary, "0" if reactors == 1 else "0,1") as (process, port):
                    generator = "2,3" if spare else "1" if reactors == 1 else "0,1"
                    figures[reactors].append(bench(binary, arguments, process, port, generator)["per_broker_cpu_s"])
        one, two = statistics.median(figures[1]), statistics.median(figures[2])
        print(f"{scenario}: {one:,.0f} messages per CPU-second with one reactor, {two:,.0f} with two: {2 * two / one:.2f} times one", flush=True)


if __name__ == "__main__":
    main()
