"""The last step of a process: its status and its words get out, whatever threads of Temporal's client still do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from leaving import CORE
from settings import CHECKOUT


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("status", [0, 3])
def test_status_and_output_get_out(status: int, loaded: bool) -> None:
    load = f"import {CORE}" if loaded else "pass"
    program = f"{load}\nimport sys\nfrom leaving import leave\nsys.stdout.write('said')\nsys.stderr.write('told')\nleave({status})"
    ended = subprocess.run([sys.executable, "-c", program], check=False, cwd=CHECKOUT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "said", "told")


def test_a_loaded_client_is_not_taken_down_with_the_interpreter() -> None:
    program = f"import {CORE}, atexit\nfrom leaving import leave\natexit.register(print, 'taken down')\nleave(0)"
    ended = subprocess.run([sys.executable, "-c", program], check=False, cwd=CHECKOUT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "")
