"""How receivers know that a call is ours (ACT-30)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

TIMESTAMP_HEADER: Final = "X-CIO-Timestamp"
SIGNATURE_HEADER: Final = "X-CIO-Signature"
PREVIOUS_HEADER: Final = "X-CIO-Signature-Previous"
"""The same by the key that was replaced, for as long as that counts."""
IDEMPOTENCY_HEADER: Final = "X-CIO-Idempotency-Key"
DELIVERY_HEADER: Final = "X-CIO-Delivery-ID"


def signature(key: str, timestamp: int, body: bytes) -> str:
    """The signature of a body as it is sent, at an instant in Unix seconds."""
    return hmac.new(key.encode(), b"v0:%d:" % timestamp + body, hashlib.sha256).hexdigest()


__all__ = [
    "DELIVERY_HEADER",
    "IDEMPOTENCY_HEADER",
    "PREVIOUS_HEADER",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "signature",
]
