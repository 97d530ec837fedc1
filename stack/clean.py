"""`make clean`: removes the data of this checkout's stack and cluster, wherever it is; what was built for all stays."""

from __future__ import annotations

import fcntl
import shutil
import sys

from settings import Settings, load
from stack.cluster import FOLDER, cluster_settings
from stack.description import FILE_NAME
from stack.postgres import EmbeddedPostgres
from stack.process import StackError


def clean(settings: Settings) -> list[str]:
    """Remove the data and return the folders; raises `StackError` while a stack runs on it."""
    data_dir = settings.data_dir
    if not data_dir.exists():
        return []
    if not any((data_dir / name).exists() for name in ("secret", "lock", FILE_NAME, FOLDER)):
        raise StackError(f"{data_dir} does not look like the data of a stack: remove it by hand.")
    with (data_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"A stack runs on {data_dir}: stop it first.") from None
        places = EmbeddedPostgres(data_dir, settings.cache_dir, port=0, password="").places()
        folders = [folder for folder in (*places, data_dir) if folder.exists()]
        for folder in folders:
            shutil.rmtree(folder)
    return [str(folder) for folder in folders]


if __name__ == "__main__":
    try:
        given = load()
        # The folder of the cluster lies in that of the stack, so it goes first.
        for removed in [*clean(cluster_settings(given)), *clean(given)]:
            print(f"Removed {removed}")
    except StackError as error:
        sys.exit(str(error))
