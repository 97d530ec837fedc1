"""How many calls came in and how long they took, for `/metrics`."""

from __future__ import annotations

from telemetry.figures import HTTP_REQUESTS, HTTP_SECONDS, PIPELINES

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def count(dialect: str, method: str, status: int, seconds: float) -> None:
    """Note one answered call."""
    HTTP_REQUESTS.labels(dialect, method if method in METHODS else "other", str(status)).inc()
    HTTP_SECONDS.labels(dialect).observe(seconds)


def count_pipelines(code: str) -> None:
    """Note something in a Pipelines call that had no effect although the call was answered with success."""
    PIPELINES.labels(code).inc()


__all__ = ["count", "count_pipelines"]
