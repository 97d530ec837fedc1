"""The secret of a stack and what derives from it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from stack.process import StackError
from stack.secret import admin_token, credentials, derive, load_secret, postgres_password

if TYPE_CHECKING:
    from pathlib import Path


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "secret"
    first = load_secret(file)
    assert len(first) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secret(file) == first
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_a_secret_that_others_can_read_is_closed_again(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    load_secret(file)
    file.chmod(0o644)
    load_secret(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_secret_is_not_silently_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"short")
    with pytest.raises(StackError, match="should hold 32 bytes and holds 5"):
        load_secret(file)


def test_credentials_are_stable_and_all_different() -> None:
    secret = bytes(range(32))
    sandbox, live = credentials(secret, "sandbox"), credentials(secret, "live")
    assert sandbox == credentials(secret, "sandbox")
    every = [*sandbox.model_dump().values(), *live.model_dump().values()]
    every += [admin_token(secret), postgres_password(secret)]
    assert len(set(every)) == len(every)
    assert credentials(bytes(32), "sandbox") != sandbox
    assert len(sandbox.site_id) == len(sandbox.api_key) == 20
    assert admin_token(secret).startswith("sa_live_")


def test_derivations_are_a_persisted_format() -> None:
    assert derive(bytes(32), "postgres").hex()[:16] == "9c6467635f5571e0"
