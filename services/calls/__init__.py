"""The calls to the outside that data blocks make; a new one is its own file, and one line where workers make them."""

from __future__ import annotations

from services.calls.base import Call, CallContext, Clock

__all__ = ["Call", "CallContext", "Clock"]
