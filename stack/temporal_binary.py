"""Where the `temporal` binary comes from: PATH, the cache, the SDK's download, or a build from the pinned Go module."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from settings import load
from stack.building import TAIL, Workshop, find_go, run
from stack.process import StackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

logger = logging.getLogger("sojourn.stack")

VERSION = "1.5.1"
MODULE = Path(__file__).with_name("temporal_build")
PACKAGE = "github.com/temporalio/cli/cmd/temporal"
DOWNLOADER = (sys.executable, "-m", "stack.temporal_download")
DOWNLOAD_LIMIT = 120.0


class BinarySearch:
    """The search for a `temporal` binary, each place tried in turn; what it makes goes to the cache folder."""

    def __init__(
        self,
        cache_dir: Path,
        *,
        given: Path | None = None,
        console: Console | None = None,
        downloader: Sequence[str] = DOWNLOADER,
    ) -> None:
        self._given = given
        self._downloader = downloader
        self._folder = cache_dir / "temporal" / VERSION
        self._shop = Workshop(self._folder, "the Temporal server", console)

    @property
    def cached(self) -> Path:
        """Where a binary that was downloaded or built stays."""
        return self._folder / "temporal"

    async def find(self) -> Path:
        """The binary; the first call on a machine may take minutes and shows its progress.

        Raises `StackError` where no way leads to one.
        """
        if found := self._at_hand():
            return found
        async with self._shop.alone():
            if self.cached.exists():
                return self.cached
            if await self._download():
                return self.cached
            await self._build()
            return self.cached

    def _at_hand(self) -> Path | None:
        if self._given is not None:
            if not os.access(self._given, os.X_OK):
                raise StackError(f"SOJOURN_TEMPORAL_PATH names {self._given}, which is not a program.")
            return self._given
        if on_path := shutil.which("temporal"):
            return Path(on_path)
        return self.cached if self.cached.exists() else None

    async def _download(self) -> bool:
        """Whether the SDK could download it; in a process of its own, because only that can be cut off for sure."""
        draft = self._folder / "download"
        draft.mkdir(exist_ok=True)
        program = [*self._downloader, f"v{VERSION}", str(draft)]
        try:
            with self._shop.progress() as progress:
                progress.add_task("Downloading the Temporal server", total=None)
                status, output = await run(program, cwd=Path(__file__).parent.parent, limit=DOWNLOAD_LIMIT)
            found = sorted((path for path in draft.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)
            if status != 0 or not found:
                logger.info("The Temporal server could not be downloaded (status %s): %s", status, output[-TAIL:])
                return False
            found[-1].chmod(0o755)
            found[-1].replace(self.cached)
            return True
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    async def _build(self) -> None:
        go = find_go()
        if go is None:
            raise StackError(
                "There is no Temporal server: no `temporal` on PATH, none in the cache, no download, and no Go to build "
                "one. Install the Temporal CLI (https://docs.temporal.io/cli) or Go 1.25+ (https://go.dev/dl), or set "
                "SOJOURN_TEMPORAL_ADDRESS to a running server."
            )
        await self._shop.build(go, MODULE, PACKAGE, self.cached)


def main() -> None:
    """Find or make the binary now, so that nothing later waits for a build, and print where it is."""
    settings = load()
    if settings.temporal_address is not None:
        print(f"Temporal: {settings.temporal_address}")
        return
    try:
        found = asyncio.run(BinarySearch(settings.cache_dir, given=settings.temporal_path).find())
    except StackError as error:
        sys.exit(str(error))
    print(f"Temporal: {found}")


if __name__ == "__main__":
    main()
