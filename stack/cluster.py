"""`make cluster`: the product as on several machines, on this one, until Ctrl-C: docs/cluster.md."""

from __future__ import annotations

import sys

from settings import Settings, load
from stack.topology import CLUSTER
from stack.up import run_up

FOLDER = "cluster"


def cluster_settings(settings: Settings) -> Settings:
    """The settings of a cluster beside the stack of `make up`: its data in a folder of its own in the stack's."""
    return settings.with_changes(data_dir=settings.data_dir / FOLDER)


if __name__ == "__main__":
    sys.exit(run_up(cluster_settings(load()), topology=CLUSTER))


__all__ = ["FOLDER", "cluster_settings"]
