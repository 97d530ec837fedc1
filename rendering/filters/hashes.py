"""Digests of texts, in small hexadecimal digits (MSG-09)."""

from __future__ import annotations

import base64
import hashlib
import hmac

from liquid import Environment
from liquid.exceptions import FilterError

from rendering.filters.inputs import of_text


@of_text
def md5(text: str) -> str:
    """The MD5 digest."""
    return hashlib.md5(_bytes(text), usedforsecurity=False).hexdigest()


@of_text
def sha1(text: str) -> str:
    """The SHA-1 digest."""
    return hashlib.sha1(_bytes(text), usedforsecurity=False).hexdigest()


@of_text
def sha256(text: str, key: str = "") -> str:
    """The SHA-256 digest; with a key, the keyed one."""
    return hmac_sha256(text, key) if key else hashlib.sha256(_bytes(text)).hexdigest()


@of_text
def hmac_sha1(text: str, key: str) -> str:
    """The keyed SHA-1 digest."""
    return hmac.new(_bytes(key), _bytes(text), "sha1").hexdigest()


@of_text
def hmac_sha256(text: str, key: str) -> str:
    """The keyed SHA-256 digest."""
    return hmac.new(_bytes(key), _bytes(text), "sha256").hexdigest()


@of_text
def hex_base64(text: str) -> str:
    """The bytes that hexadecimal digits stand for, in base64."""
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        raise FilterError("The text is not made of hexadecimal digits", token=None) from None


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def register(env: Environment) -> None:
    """Add them."""
    for function in (md5, sha1, sha256, hmac_sha1, hmac_sha256, hex_base64):
        env.add_filter(function.__name__, function)


__all__ = ["register"]
