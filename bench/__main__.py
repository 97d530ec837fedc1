"""`python -m bench [NAME ...] [--quick]`: measure the figures, print the table, write `bench/results.md`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import sys
import traceback
from collections.abc import Sequence

import uvloop

from bench.figure import Figure
from bench.progress import say
from bench.results import print_table, write_results

LIMITS = {
    "accept": 300.0,
    "ingest": 600.0,
    "workers": 600.0,
    "growth": 1200.0,
    "journeys": 600.0,
    "emails": 400.0,
    "broadcasts": 1200.0,
    "sends": 900.0,
    "latency": 500.0,
    "builds": 1800.0,
    "memory": 1200.0,
    "faults": 3600.0,
    "million": 6000.0,
    "cluster": 1800.0,
}
"""Every program with the seconds after which it is given up."""
ORDINARY = tuple(name for name in LIMITS if name != "cluster")
"""What is measured where nothing is named; a cluster needs programs that not every machine has."""


def main() -> int:
    """Measure and say whether everything could be measured; a missed target is not a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Sojourn against limits and peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which figures; all: {' '.join(LIMITS)}")
    parser.add_argument("--quick", action="store_true", help="smaller numbers: a look, not a measurement")
    parser.add_argument("--people", type=int, default=None, help="people of the segment build (1,000,000)")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(LIMITS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; figures are {' '.join(LIMITS)}")
    names = [name for name in LIMITS if name in asked.names] or list(ORDINARY)
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found, failed = runner.run(_measure(names, quick=asked.quick, people=asked.people))
    print_table(found)
    if set(names) == set(ORDINARY) and not asked.quick and not failed:
        write_results(found)
    return 1 if failed else 0


async def _measure(names: Sequence[str], *, quick: bool, people: int | None) -> tuple[list[Figure], bool]:
    found: list[Figure] = []
    failed = False
    for name in names:
        say(f"--- {name}")
        program = importlib.import_module(f"bench.{name}")
        options = {"people": people} if name == "builds" and people else {}
        try:
            async with asyncio.timeout(LIMITS[name]):
                found += await program.measure(quick=quick, **options)
        except TimeoutError:
            failed = True
            say(f"{name} was given up after {LIMITS[name]:.0f} s")
        except Exception as error:  # noqa: BLE001 - the other figures are measured all the same
            failed = True
            say(f"{name} could not be measured: {type(error).__name__}: {error}")
            traceback.print_exception(error)
    return found, failed


if __name__ == "__main__":
    sys.exit(main())
