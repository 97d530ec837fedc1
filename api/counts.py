"""How many calls came in and how long they took, for `/metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

CALLS = Counter("sojourn_http_requests", "Calls answered.", ["dialect", "method", "status"])
SECONDS = Histogram("sojourn_http_request_seconds", "How long calls took to answer.", ["dialect"], buckets=BUCKETS)

PIPELINES = Counter("sojourn_pipelines_without_effect", "Parts of Pipelines calls taken without effect.", ["code"])


def count(dialect: str, method: str, status: int, seconds: float) -> None:
    """Note one answered call."""
    CALLS.labels(dialect, method if method in METHODS else "other", str(status)).inc()
    SECONDS.labels(dialect).observe(seconds)


def count_pipelines(code: str) -> None:
    """Note something in a Pipelines call that had no effect although the call was answered with success."""
    PIPELINES.labels(code).inc()


__all__ = ["count", "count_pipelines"]
