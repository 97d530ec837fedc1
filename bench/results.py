"""The table of a run: printed, and kept in `bench/results.md` with the date and the size of the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.figure import Figure
from clock import system_now

RESULTS = Path(__file__).with_name("results.md")
WIDTH = 150
HEADINGS = ("figure", "measured", "limit or peer", "ratio", "target", "verdict")


def print_table(figures: Sequence[Figure]) -> None:
    """Show the figures with their notes."""
    console = Console(width=WIDTH)
    table = Table(*HEADINGS)
    for figure in figures:
        table.add_row(*_cells(figure), style=None if figure.reached else "bold")
    console.print(table)
    for figure in figures:
        console.print(f"\n{figure.name}:", style="bold", markup=False, highlight=False)
        for note in figure.notes:
            console.print(f"  {note}", markup=False, highlight=False)


def write_results(figures: Sequence[Figure]) -> None:
    """Replace the file by this run."""
    lines = [
        "# Measured",
        "",
        (
            f"{system_now():%Y-%m-%d}, by `make bench`, on a machine with {os.cpu_count()} cores and "
            f"{psutil.virtual_memory().total / 1e9:.0f} GB of memory, everything on it: PostgreSQL with fsync and "
            "`synchronous_commit=on`, Temporal, the API, the workers, and the load. What each line means and what stands "
            "between a figure and its target: [performance](../docs/performance.md)."
        ),
        "",
        f"| {' | '.join(HEADINGS)} |",
        f"|{'---|' * len(HEADINGS)}",
        *[f"| {' | '.join(_cells(figure))} |" for figure in figures],
        "",
    ]
    for figure in figures:
        lines += [f"**{figure.name}**", "", *[f"- {note}" for note in figure.notes], ""]
    RESULTS.write_text("\n".join(lines).rstrip() + "\n")


def _cells(figure: Figure) -> tuple[str, ...]:
    ratio = f"{figure.ratio:.3f} x" if figure.ratio < 0.1 else f"{figure.ratio:.2f} x"
    return figure.name, figure.measured, figure.against, ratio, figure.wanted, figure.verdict


__all__ = ["print_table", "write_results"]
