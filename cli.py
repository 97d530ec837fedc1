"""The command `sojourn`: its entry point; the commands themselves stand in `console/`."""

import sys
from pathlib import Path

# The installed command finds this file alone; the packages stand beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from console.app import app, main

__all__ = ["app", "main"]

if __name__ == "__main__":
    sys.exit(main())
