"""Accepting one identify over HTTP, against the same server's authenticated call that does nothing."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench.figure import Figure, paired, rate
from bench.http_load import hammer
from bench.place import Place, Tenant, running_stack
from bench.progress import say

CONNECTIONS = 32
TARGET = 0.6
PROBE = "/api/v1/accounts/region"
PEOPLE = 5_000


async def measure(*, quick: bool) -> list[Figure]:
    """Alternate rounds of both calls; the worker that applies facts is ended meanwhile, and measured in beside."""
    rounds, span = (2, 1.5) if quick else (5, 4.0)
    async with running_stack() as place:
        tenant = await place.tenant()
        await hammer(tenant.port, _identify(tenant), connections=CONNECTIONS, span=1.0)
        await tenant.settle()
        await place.stack.stop_child("worker-ingest")
        calls, probes = await _alternate(tenant, rounds, span, "accept alone")
        await place.stack.start_child("worker-ingest")
        await _drain(place, tenant)
        busy, busy_probes = await _alternate(tenant, rounds, span, "accept while facts are applied")
    ratio, spread = paired(calls, probes)
    beside, _ = paired(busy, busy_probes)
    return [
        Figure(
            name="accept, one identify per call",
            measured=rate(statistics.median(calls), "calls"),
            against=f"{rate(statistics.median(probes), 'calls')} of GET {PROBE}",
            ratio=ratio,
            target=TARGET,
            notes=(
                f"{CONNECTIONS} connections, ratio {spread}; no facts applied meanwhile.",
                (
                    f"With the worker applying what is accepted on the same cores: "
                    f"{rate(statistics.median(busy), 'calls')} against {rate(statistics.median(busy_probes), 'calls')}, {beside:.2f} x."
                ),
            ),
        )
    ]


async def _alternate(tenant: Tenant, rounds: int, span: float, what: str) -> tuple[list[float], list[float]]:
    probe = tenant.track("GET", PROBE)
    calls, probes = [], []
    for number in range(rounds):
        probes.append(await hammer(tenant.port, lambda _: probe, connections=CONNECTIONS, span=span))
        calls.append(await hammer(tenant.port, _identify(tenant), connections=CONNECTIONS, span=span))
        say(f"{what}, round {number + 1}: {calls[-1]:,.0f} against {probes[-1]:,.0f} calls/s")
    return calls, probes


def _identify(tenant: Tenant) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        body = f'{{"email":"p{number % PEOPLE}@example.com","plan":"pro","visits":{number},"city":"Leeds"}}'
        return tenant.track("PUT", f"/api/v1/customers/p{number % PEOPLE}", body.encode())

    return make


async def _drain(place: Place, tenant: Tenant) -> None:
    """Forget what piled up while nobody applied it: it is not what is measured next."""
    async with place.db.transaction() as conn:
        await conn.execute("DELETE FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL", tenant.id)


__all__ = ["measure"]
