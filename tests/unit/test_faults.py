"""Fault points kill at the named place and the counted time, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import faults
from settings import CHECKOUT

PROGRAM = "import faults\nfor n in range(5):\n    faults.point('here'); print(n, flush=True)"


def run(fault: str | None) -> tuple[int, str]:
    environment = {**os.environ, **({faults.VARIABLE: fault} if fault is not None else {})}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("fault", "lines"), [("here", 0), ("here:1", 0), ("here:3", 2)])
def test_the_process_is_killed_the_nth_time(fault: str, lines: int) -> None:
    assert run(fault) == (-signal.SIGKILL, "".join(f"{n}\n" for n in range(lines)))


@pytest.mark.parametrize("fault", [None, "", "there", "here:6"])
def test_nothing_happens_otherwise(fault: str | None) -> None:
    assert run(fault) == (0, "0\n1\n2\n3\n4\n")


def test_a_number_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        faults.armed("here:often")
