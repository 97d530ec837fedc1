"""Where commands print."""

from __future__ import annotations

from rich.console import Console

PIPE_WIDTH = 200
"""Columns of tables that go into a file or a pipe, where nothing has to fit a window."""


def new_console(*, stderr: bool = False) -> Console:
    """A console that colours nothing by guessing or by brackets in names, and breaks no line that a pipe reads."""
    console = Console(highlight=False, markup=False, soft_wrap=True, stderr=stderr)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, soft_wrap=True, stderr=stderr, width=PIPE_WIDTH)
