"""Where the write key of a call stands: in the header, as clients write it, else in the body (API-02)."""

from __future__ import annotations

import base64
import binascii
from typing import Any


def header_keys(header: str) -> list[str]:
    """The keys that an Authorization header may mean, the likeliest first; empty where it names none."""
    scheme, _, rest = header.partition(" ")
    text = rest.strip()
    if scheme.lower() == "bearer":
        return [text] if text else []
    if scheme.lower() != "basic" or not text:
        return []
    user = _user(text)
    if user is None:
        return [text]
    # A bare key may look as if it were encoded.
    return [user, text] if user else []


def body_key(body: Any) -> str | None:
    """The key in the body: beside the message, beside the batch, or in the batch's first message."""
    if not isinstance(body, dict):
        return None
    batch = body.get("batch")
    first = batch[0] if isinstance(batch, list) and batch else None
    for place in (body, first):
        key = place.get("writeKey") if isinstance(place, dict) else None
        if isinstance(key, str) and key.strip():
            return key.strip()
    return None


def _user(text: str) -> str | None:
    """The user of an encoded pair, in the usual or the URL-safe alphabet, padded or not; None where it is no pair."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        pair = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, _ = pair.partition(":")
    return user.strip() if colon else None


__all__ = ["body_key", "header_keys"]
