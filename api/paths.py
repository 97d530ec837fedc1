"""Paths as callers wrote them: routed before anything is decoded, so that an encoded slash stays part of a name."""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import unquote_to_bytes

from fastapi import Request

from domain.errors import DomainError

_SLASHES = re.compile(r"/{2,}")
_PEOPLE = re.compile(r"/v1/customers/[^/]+(?:/(?:events|devices(?:/[^/]*)?|suppress|unsuppress))?")
_POSTED = re.compile(
    r"(?:/v1/customers/[^/]+/(?:events|devices|suppress|unsuppress)|/v1/segments/[^/]+/(?:add|remove)_customers"
    r"|/v1/(?:events|merge_customers|metrics|push/events)|/v1/forms/[^/]+/submit|/push/events|/unsubscribe/[^/]+)"
)
"""What only Track takes by POST, written without `/api`."""
_PIPELINES = re.compile(
    r"/v1/(?:identify|track|page|screen|group|alias|batch|[itpsgab]|api/track)|/b"
    r"|(?:/v1)?/projects/[^/]+/settings|/v1/analytics-js(?:/.*)?"
)
MAX_PATH = 4096


class Dialect(Enum):
    """In whose words a path is answered."""

    TRACK_V1 = "track-v1"
    TRACK_V2 = "track-v2"
    PIPELINES = "pipelines"
    MANAGEMENT = "management"
    SENDS = "sends"


def normalised(raw: str) -> str:
    """The path that is routed: still percent-encoded, slashes collapsed, none at the end."""
    path = _SLASHES.sub("/", raw) if "//" in raw else raw
    return path.rstrip("/") or "/"


def dialect_of(method: str, path: str) -> Dialect:
    """The dialect a normalised path belongs to."""
    if path.startswith(("/api/v2/", "/v2/")):
        return Dialect.TRACK_V2
    if path == "/v1/send" or path.startswith("/v1/send/"):
        return Dialect.SENDS
    if path in ("/api", "/auth") or path.startswith("/api/"):
        return Dialect.TRACK_V1
    if method in ("PUT", "DELETE") and _PEOPLE.fullmatch(path):
        return Dialect.TRACK_V1
    if method == "POST" and _POSTED.fullmatch(path):
        return Dialect.TRACK_V1
    return Dialect.PIPELINES if _PIPELINES.fullmatch(path) else Dialect.MANAGEMENT


def decoded(segment: str) -> str:
    """The text of one path segment; a plus stays a plus. Raises DomainError `invalid_parameter`."""
    if "%" not in segment:
        return segment
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise DomainError("invalid_parameter", "The path is not UTF-8.") from None
    if "\x00" in text:
        raise DomainError("invalid_parameter", "The path must not contain the character U+0000.")
    return text


async def decode_path(request: Request) -> None:
    """A dependency of every route that comes before its parameters are read: decodes them."""
    parameters = request.scope["path_params"]
    for name, value in parameters.items():
        parameters[name] = decoded(value) if isinstance(value, str) else value


def reference(text: str) -> str | int:
    """The key or integer id that a path parameter means."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else text


__all__ = ["MAX_PATH", "Dialect", "decode_path", "decoded", "dialect_of", "normalised", "reference"]
