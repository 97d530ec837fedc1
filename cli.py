"""The command `sojourn`: its entry point; the commands themselves stand in `console/`."""

import sys
from pathlib import Path
from typing import NoReturn

# The installed command finds this file alone; the packages stand beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from console.app import app, main
from leaving import leave

__all__ = ["app", "main", "run"]


def run() -> NoReturn:
    """Run the command line and end with its status."""
    leave(main())


if __name__ == "__main__":
    run()
