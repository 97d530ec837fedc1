"""Which failures mean that the database is away, not that a statement was wrong."""

from __future__ import annotations

import asyncpg

_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
)


def is_unavailable(error: BaseException | None) -> bool:
    """Whether an exception says that the database cannot be reached, is starting, or has just gone."""
    if error is None:
        return False
    if isinstance(error, _AWAY):
        return True
    # The client library says so in this class, and wrong arguments in its subclass that is a ValueError as well.
    return isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)


__all__ = ["is_unavailable"]
