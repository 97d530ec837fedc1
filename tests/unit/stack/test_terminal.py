"""`make up` in a terminal: Ctrl-C ends the stack in order, and make reports success."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from settings import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

LIMIT = 60.0
TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
PROGRAM = """
import sys
from pathlib import Path
from stack.services import on_free_ports
from stack.up import run_up
sys.exit(run_up(on_free_ports(Path(sys.argv[1])), checkout=Path(sys.argv[2])))
"""


def read_until(process: subprocess.Popen[bytes], words: bytes) -> bytes:
    """What the terminal shows up to these words, or until its programs are gone."""
    assert process.stdout is not None
    seen, deadline = b"", time.monotonic() + LIMIT
    while words not in seen and time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                break
            seen += part
    return seen


def test_ctrl_c_leaves_make_with_status_0(data_dir: Path, product: Path) -> None:
    (product / "program.py").write_text(PROGRAM)
    (product / "Makefile").write_text(f"up:\n\t@exec {sys.executable} program.py {data_dir} {product}\n")
    process = subprocess.Popen(
        [sys.executable, "-c", TERMINAL, "make", "-C", str(product), "up"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TERM": "dumb"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        shown = read_until(process, b"Ctrl-C ends it.")
        process.stdin.write(b"\x03")
        process.stdin.flush()
        shown += read_until(process, b"never shown")
        assert process.wait(LIMIT) == 0, shown
    assert b"Ctrl-C ends it." in shown
    assert b"Traceback" not in shown
    assert not (data_dir / "stack.json").exists()
