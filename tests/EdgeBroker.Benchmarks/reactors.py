#!/usr/bin/env python3
"""What two reactors get done, against one: bench runs in turn against a broker on one processor and one on two.

  tests/EdgeBroker.Benchmarks/reactors.py --binary artifacts/linux-x64/edgebroker [--scenario "pairs -q 1"]... [--rounds 5] [--seconds 3]

On two processors broker and generator share them, so messages a second say nothing; messages per CPU-second of the broker do: two reactors do as much as one in the same processor time
when they do twice as much in twice of it. One has its processor alone, and once more shares it with the generator as two have to, which costs caches and switches. The generator has
processors of its own where there are four. Prints medians, and twice their ratios."""
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
        # Processors of the broker and of the generator.
        places = {"one": ("0", "2,3"), "two": ("0,1", "2,3")} if spare else {"one": ("0", "1"), "one that shares": ("0", "0"), "two": ("0,1", "0,1")}
        figures = {name: [] for name in places}
        for number in range(options.rounds):
            # In turn first and last: what changes over time meets all alike.
            for name in places if number % 2 == 0 else reversed(places):
                with broker(binary, places[name][0]) as (process, port):
                    figures[name].append(bench(binary, arguments, process, port, places[name][1])["per_broker_cpu_s"])
        medians = {name: statistics.median(values) for name, values in figures.items()}
        ratios = ", ".join(f"{2 * medians['two'] / medians[name]:.2f} times {name}" for name in places if name != "two")
        print(f"{scenario}: {medians['two']:,.0f} messages per CPU-second with two reactors, {ratios}", flush=True)


if __name__ == "__main__":
    main()
