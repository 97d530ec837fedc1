"""Ports of the local stack: free ones where a setting says 0, a clear refusal where one is taken."""

from __future__ import annotations

import contextlib
import secrets
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from stack.process import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings import Settings

LOOPBACK = "127.0.0.1"
LENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST_FREE, LAST_FREE = 12_000, 32_000
TRIES = 100


def claim(port: int, setting: str, held: ExitStack) -> int:
    """A port that nobody listens on, kept until `held` closes; raises `StackError` naming the setting if it is taken."""
    for candidate in [port] if port else _candidates():
        listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, candidate))
        except PermissionError:
            raise StackError(f"Port {port} may not be used by this user. Set {setting} to another one.") from None
        except OSError:
            continue
        chosen: int = listener.getsockname()[1]
        return chosen
    raise StackError(f"Port {port} is taken. Set {setting} to another one.")


def _candidates() -> Iterator[int]:
    """Ports at random, none of them one that the system lends to outgoing calls.

    Such a port would be lent to somebody else while its process is just being started again.
    """
    end = LAST_FREE
    with contextlib.suppress(OSError, ValueError):
        end = min(end, int(LENT_PORTS.read_text().split()[0]))
    if end - FIRST_FREE >= TRIES:
        yield from (FIRST_FREE + secrets.randbelow(end - FIRST_FREE) for _ in range(TRIES))
    yield 0  # what the system chooses is better than nothing


def choose(settings: Settings, *, workers: int, more: int = 0) -> tuple[Settings, list[int]]:
    """The settings with every port that the stack will open decided; the ports of so many workers, and more free ones."""
    wanted = ["api_port", "api_tls_port", "smtp_port"]
    if settings.database_url is None:
        wanted.append("postgres_port")
    if settings.temporal_address is None:
        wanted += ["temporal_port", "temporal_ui_port"]
    with ExitStack() as held:
        chosen = {name: claim(getattr(settings, name), f"SOJOURN_{name.upper()}", held) for name in wanted}
        first = settings.worker_port
        ports = [claim(first + n if first else 0, "SOJOURN_WORKER_PORT", held) for n in range(workers)]
        ports += [claim(0, "", held) for _ in range(more)]
    return settings.with_changes(**chosen), ports
