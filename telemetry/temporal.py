"""What Temporal's SDK measures in a worker, as figures beside our own: it fills a buffer, which is emptied every second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from telemetry.spread import Spread

if TYPE_CHECKING:
    from temporalio.runtime import BufferedMetricUpdate

BUFFER: Final = 200_000
"""How many updates may come within a second; more are dropped, which costs figures and nothing else."""
EVERY: Final = 1.0
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Kept(NamedTuple):
    """What is kept of one of the SDK's measurements."""

    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


KEPT: Final[Mapping[str, Kept]] = {
    "temporal_worker_task_slots_available": Kept("gauge", ("task_queue", "worker_type"), "Free places for work."),
    "temporal_worker_task_slots_used": Kept("gauge", ("task_queue", "worker_type"), "Places at work."),
    "temporal_num_pollers": Kept("gauge", ("task_queue", "poller_type"), "Open polls of a queue."),
    "temporal_sticky_cache_size": Kept("gauge", ("task_queue",), "Workflows kept in memory."),
    "temporal_sticky_cache_hit": Kept("counter", ("task_queue",), "Workflow tasks that found theirs in memory."),
    "temporal_sticky_cache_miss": Kept("counter", ("task_queue",), "Workflow tasks that had to replay."),
    "temporal_sticky_cache_total_forced_eviction": Kept("counter", ("task_queue",), "Workflows that made room."),
    "temporal_workflow_task_execution_failed": Kept("counter", ("task_queue",), "Workflow tasks that failed."),
    "temporal_request_failure": Kept("counter", ("operation",), "Requests to the server that failed."),
    "temporal_workflow_task_schedule_to_start_latency": Kept(
        "histogram", ("task_queue",), "How long workflow tasks waited for a worker."
    ),
    "temporal_activity_schedule_to_start_latency": Kept(
        "histogram", ("task_queue",), "How long activities waited for a worker."
    ),
    "temporal_workflow_task_execution_latency": Kept("histogram", ("task_queue",), "How long workflow tasks took."),
    "temporal_request_latency": Kept("histogram", ("operation",), "How long the server took to answer."),
}


def exposed(name: str) -> str:
    """Under which name a measurement is reported, without the endings that its kind adds."""
    return f"{name}_seconds" if KEPT[name].kind == "histogram" else name.replace("_total_", "_")


class Buffer(Protocol):
    """Where the SDK puts its measurements."""

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """Those since the last time."""


class SdkFigures(Collector):
    """The measurements of this process's workers, added up."""

    def __init__(self) -> None:
        self.buffer: Buffer | None = None
        self._numbers: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in KEPT}
        self._spreads: dict[str, dict[tuple[str, ...], Spread]] = {name: {} for name in KEPT}

    def drain(self) -> None:
        """Take over what has come since the last time."""
        if self.buffer is None:
            return
        for update in self.buffer.retrieve_updates():
            kept = KEPT.get(update.metric.name)
            if kept is None:
                continue
            labels = tuple(str(update.attributes.get(label, "")) for label in kept.labels)
            if kept.kind == "histogram":
                spreads = self._spreads[update.metric.name]
                if labels not in spreads:
                    spreads[labels] = Spread(BOUNDS)
                spreads[labels].add(update.value)
            else:
                numbers = self._numbers[update.metric.name]
                before = numbers.get(labels, 0.0) if kept.kind == "counter" else 0.0
                numbers[labels] = before + update.value

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        """Everything that was measured at least once."""
        self.drain()
        for name, kept in KEPT.items():
            if kept.kind == "histogram" and self._spreads[name]:
                spread = HistogramMetricFamily(exposed(name), kept.meaning, labels=kept.labels)
                for labels, values in self._spreads[name].items():
                    values.write(spread, labels)
                yield spread
            elif self._numbers[name]:
                make = CounterMetricFamily if kept.kind == "counter" else GaugeMetricFamily
                family = make(exposed(name), kept.meaning, labels=kept.labels)
                for labels, value in self._numbers[name].items():
                    family.add_metric(labels, value)
                yield family


FIGURES = SdkFigures()
REGISTRY.register(FIGURES)

__all__ = ["BUFFER", "EVERY", "FIGURES", "KEPT", "Kept", "SdkFigures", "exposed"]
