"""The programs of the real Temporal server, built once from the pinned Go module into the cache folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from settings import load
from stack.building import Workshop, find_go
from stack.installed_postgres import find_postgres
from stack.process import StackError

if TYPE_CHECKING:
    from rich.console import Console

VERSION = "1.29.1"
MODULE = Path(__file__).with_name("temporal_server_build")
PACKAGES = {
    "temporal-server": "go.temporal.io/server/cmd/server",
    "temporal-sql-tool": "go.temporal.io/server/cmd/tools/sql",
}


class ServerBinaries(NamedTuple):
    """The server, and the tool that makes its tables; the tool carries the schema in itself."""

    server: Path
    sql_tool: Path


async def server_binaries(cache_dir: Path, console: Console | None = None) -> ServerBinaries:
    """The programs; the first call on a machine builds them for some minutes and shows its progress.

    Raises `StackError` where there is no Go to build them with.
    """
    folder = cache_dir / "temporal-server" / VERSION
    found = ServerBinaries(*(folder / name for name in PACKAGES))
    if all(file.exists() for file in found):
        return found
    shop = Workshop(folder, f"the Temporal server {VERSION}", console)
    async with shop.alone():
        for name, package in PACKAGES.items():
            if (folder / name).exists():
                continue
            go = find_go()
            if go is None:
                raise StackError(
                    f"The cluster builds the Temporal server {VERSION} from its Go module, and there is no Go. Install "
                    "Go 1.25 or later (https://go.dev/dl)."
                )
            await shop.build(go, MODULE, package, folder / name)
    return found


def main() -> None:
    """Find or make what a cluster needs now, so that nothing later waits for a build, and print where it is."""
    try:
        postgres = find_postgres()
        found = asyncio.run(server_binaries(load().cache_dir))
    except StackError as error:
        sys.exit(str(error))
    print(f"PostgreSQL {postgres.version}: {postgres.binaries}")
    print(f"Temporal server {VERSION}: {found.server}")


if __name__ == "__main__":
    main()


__all__ = ["VERSION", "ServerBinaries", "server_binaries"]
