"""Figures that stand in the database and are the same whoever reads them: reported by processes that do so, where they could be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class Standing(NamedTuple):
    """What one of them means, and by what it is told apart."""

    meaning: str
    labels: tuple[str, ...] = ()


STANDING: Final[Mapping[str, Standing]] = {
    "sojourn_database_up": Standing("Whether the other figures of the database could be read."),
    "sojourn_ingest_pending": Standing("Accepted facts that are not applied yet."),
    "sojourn_ingest_lag_seconds": Standing("Age of the oldest accepted fact that is not applied yet."),
    "sojourn_outbox_depth": Standing("Starts, wakes and sends that wait for Temporal.", ("lane",)),
    "sojourn_outbox_oldest_seconds": Standing("How long the oldest row of the outbox has been seen there.", ("lane",)),
    "sojourn_due_lag_seconds": Standing("How late the latest thing is that the clock asks for.", ("kind",)),
    "sojourn_providers_away": Standing("Providers whose server cannot be used at present."),
    "sojourn_tasks_open": Standing("Tasks that are not over.", ("type",)),
    "sojourn_task_oldest_seconds": Standing("Age of the oldest task that is not over.", ("type",)),
    "sojourn_workers": Standing("Worker processes heard of lately.", ("role",)),
    "sojourn_database_oldest_writer_seconds": Standing(
        "Age of the oldest transaction that has written, whoever holds it: facts behind it wait."
    ),
    "sojourn_partitions_ahead": Standing("Days for which partitions are there already.", ("table",)),
    "sojourn_partitions_default_rows": Standing("Rows outside every partition, as of the last upkeep.", ("table",)),
    "sojourn_maintenance_success_timestamp_seconds": Standing(
        "When a job of upkeep last did all it had to.", ("upkeep",)
    ),
}

Values = Mapping[str, Mapping[Sequence[str], float]]
"""By the name of the figure: by its labels, the value."""


class StandingFigures(Collector):
    """What was read of them last; nothing where nothing was."""

    def __init__(self) -> None:
        self.values: Values = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Those that are known."""
        for name, standing in STANDING.items():
            if name in self.values:
                family = GaugeMetricFamily(name, standing.meaning, labels=standing.labels)
                for labels, value in self.values[name].items():
                    family.add_metric(labels, value)
                yield family


FIGURES = StandingFigures()
REGISTRY.register(FIGURES)

__all__ = ["FIGURES", "STANDING", "Standing", "StandingFigures", "Values"]
