"""Ports: taken ones are named, zeros become free ones."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from settings import Settings
from stack.ports import choose
from stack.process import StackError
from stack.services import on_free_ports

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("field", "variable"),
    [("api_port", "SOJOURN_API_PORT"), ("smtp_port", "SOJOURN_SMTP_PORT"), ("postgres_port", "SOJOURN_POSTGRES_PORT")],
)
def test_a_taken_port_names_its_setting(tmp_path: Path, field: str, variable: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        settings = on_free_ports(tmp_path).with_changes(**{field: port}, database_url=None)
        with pytest.raises(StackError, match=rf"^Port {port} is taken\. Set {variable} to another one\.$"):
            choose(settings, workers=1)


def test_free_ports_are_chosen_all_different(tmp_path: Path) -> None:
    settings, workers = choose(on_free_ports(tmp_path).with_changes(database_url=None), workers=3)
    ports = [settings.api_port, settings.api_tls_port, settings.postgres_port, settings.smtp_port, *workers]
    assert 0 not in ports
    assert len(set(ports)) == len(ports)


def test_servers_that_exist_need_no_port(tmp_path: Path) -> None:
    given = on_free_ports(tmp_path).with_changes(database_url="postgresql://h/d", temporal_address="h:7233")
    settings, _ = choose(given, workers=0)
    assert (settings.postgres_port, settings.temporal_port, settings.temporal_ui_port) == (0, 0, 0)


def test_workers_count_up_from_the_first(tmp_path: Path) -> None:
    free, [first] = choose(on_free_ports(tmp_path), workers=1)
    _, ports = choose(Settings(**{**free.model_dump(), "worker_port": first}), workers=1)
    assert ports == [first]
