"""`python -m upgrade`: the tests of the last release on the schema of this one, then an upgrade under load."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from settings import CHECKOUT
from stack.services import temporary_data_dir
from upgrade import baseline, old_tests


def main() -> int:
    """Run what was asked for; returns the status to end with."""
    parser = argparse.ArgumentParser(prog="make test-upgrade", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the tests of the store and of ingestion")
    parser.add_argument("--only", choices=("old-tests", "rolling"), help="only one of the two parts")
    parser.add_argument("tests", nargs="*", help="files of the last release's tests, instead of the usual ones")
    given = parser.parse_args()
    with temporary_data_dir() as folder:
        try:
            tree = baseline.extract(folder / "release", migrations=True)
        except baseline.HistoryMissing as error:
            print(error, file=sys.stderr)
            return 1
        status = 0
        if given.only != "rolling":
            status = _pytest(tree, given.tests or [], quick=given.quick)
        if given.only != "old-tests" and not given.quick and not given.tests:
            status = _run([sys.executable, "-m", "pytest", "-q", "-s", "upgrade"], CHECKOUT) or status
    return status


def _pytest(tree: Path, tests: list[str], *, quick: bool) -> int:
    release = baseline.read()
    chosen = old_tests.arguments(quick=quick)
    if tests:
        chosen = [*tests, *(argument for argument in chosen if argument.startswith("-"))]
    print(f"Tests of {release.commit[:10]}, whose schema is {release.revision}:", flush=True)
    for test, reason in old_tests.DESELECTED.items():
        print(f"  left out: {test}: {reason}", flush=True)
    return _run([sys.executable, "-m", "pytest", *chosen], tree)


def _run(command: list[str], folder: Path) -> int:
    return subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
