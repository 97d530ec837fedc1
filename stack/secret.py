"""The secret of a local stack and what derives from it, so that every start knows the same credentials."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from stack.process import StackError

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 32
WORKSPACES = ("sandbox", "live")


class StackCredentials(BaseModel):
    """Keys of one built-in workspace; `delivery_key` (hexadecimal) keys the ids of its deliveries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site_id: str
    api_key: str
    app_key: str
    write_key: str
    delivery_key: str


def load_secret(file: Path) -> bytes:
    """The secret in this file, made on the first call, readable by its owner alone."""
    try:
        secret = file.read_bytes()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        secret = _make_secret(file)
    if len(secret) != SIZE:
        raise StackError(f"{file} should hold {SIZE} bytes and holds {len(secret)}. Restore it, or `make clean`.")
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    return secret


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose, which tell nothing about the secret or about another purpose."""
    return hmac.new(secret, f"sojourn/{purpose}".encode(), hashlib.sha256).digest()


def credentials(secret: bytes, workspace: str) -> StackCredentials:
    """The keys of the built-in workspace with this name (`sandbox`, `live`)."""

    def key(part: str, length: int) -> str:
        return derive(secret, f"workspace/{workspace}/{part}").hex()[:length]

    return StackCredentials(
        site_id=key("site_id", 20),
        api_key=key("api_key", 20),
        app_key=key("app_key", 32),
        write_key=key("write_key", 20),
        delivery_key=key("delivery_key", 64),
    )


def admin_token(secret: bytes) -> str:
    """The first service-account token."""
    return "sa_live_" + derive(secret, "admin-token").hex()[:40]


def postgres_password(secret: bytes) -> str:
    """The password of the embedded PostgreSQL's owner."""
    return derive(secret, "postgres").hex()


def _make_secret(file: Path) -> bytes:
    """Written whole beside its place and linked there, so that of two starts at once both see the same one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        output.write(os.urandom(SIZE))
        output.flush()
        os.fsync(output.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()
