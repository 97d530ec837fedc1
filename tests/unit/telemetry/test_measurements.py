"""Spreads, and what Temporal's SDK measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from telemetry.spread import SpreadFigure
from telemetry.temporal import SdkFigures


def test_a_spread_counts_up_to_each_bound():
    figure = SpreadFigure("waits_seconds", "How long.", (0.1, 1))
    for value, times in ((0.05, 2), (0.1, 1), (0.5, 3), (7.0, 1)):
        figure.spread.add(value, times)
    registry = CollectorRegistry()
    registry.register(figure)
    assert [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")] == [
        'waits_seconds_bucket{le="0.1"} 3.0',
        'waits_seconds_bucket{le="1"} 6.0',
        'waits_seconds_bucket{le="+Inf"} 7.0',
        "waits_seconds_count 7.0",
        "waits_seconds_sum 8.7",
    ]


@dataclass
class Metric:
    name: str


@dataclass
class Update:
    metric: Metric
    value: float
    attributes: dict[str, Any]


@dataclass
class Buffered:
    """What the SDK's buffer looks like from our side."""

    updates: list[Update] = field(default_factory=list)

    def retrieve_updates(self) -> list[Update]:
        taken, self.updates = self.updates, []
        return taken


def test_measurements_are_added_up_and_others_left():
    queue = {"task_queue": "send", "namespace": "sojourn", "service_name": "x"}
    buffer = Buffered(
        [
            Update(Metric("temporal_sticky_cache_hit"), 2, queue),
            Update(Metric("temporal_sticky_cache_hit"), 3, queue),
            Update(Metric("temporal_sticky_cache_size"), 9, queue),
            Update(Metric("temporal_sticky_cache_size"), 4, queue),
            Update(Metric("temporal_activity_schedule_to_start_latency"), 0.2, queue),
            Update(Metric("temporal_long_request"), 1, queue),
        ]
    )
    figures = SdkFigures()
    figures.buffer = buffer
    registry = CollectorRegistry()
    registry.register(figures)
    name = "temporal_activity_schedule_to_start_latency_seconds"
    assert registry.get_sample_value("temporal_sticky_cache_hit_total", {"task_queue": "send"}) == 5
    assert registry.get_sample_value("temporal_sticky_cache_size", {"task_queue": "send"}) == 4
    assert registry.get_sample_value(f"{name}_bucket", {"task_queue": "send", "le": "0.25"}) == 1
    assert registry.get_sample_value(f"{name}_bucket", {"task_queue": "send", "le": "0.1"}) == 0
    assert not any("long_request" in family.name for family in registry.collect())
