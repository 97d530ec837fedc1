"""What Pipelines callers are answered, web pages of every origin among them (API-17, API-18, API-35)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import Response

from domain.pipelines import Fault

JSON: Final = "application/json"
CORS: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, X-Strict-Mode",
    "Access-Control-Max-Age": "86400",
}
_BASIC: Final = {"WWW-Authenticate": 'Basic realm="Sojourn Pipelines API"'}
_DONE: Final = b'{"success":true}'


def done() -> Response:
    """The answer to every call that is taken: exactly 200, which all client libraries take for success."""
    return Response(_DONE, headers=CORS, media_type=JSON)


def shown(value: Any) -> Response:
    """A JSON answer to a call that reads."""
    return Response(orjson.dumps(value), headers=CORS, media_type=JSON)


def preflight() -> Response:
    """What a browser may send."""
    return Response(status_code=204, headers=_PREFLIGHT)


def refusal(
    code: str, message: str, faults: Sequence[Fault], status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """A refused call. Without `code` and `message` the vendor's Python client would try a permanent refusal again."""
    errors = [_wire(fault) for fault in faults]
    body = {"code": code, "message": message, "errors": errors}
    given = {**CORS, **(headers or {}), **(_BASIC if status == 401 else {})}
    return Response(orjson.dumps(body), status, headers=given, media_type=JSON)


def _wire(fault: Fault) -> dict[str, Any]:
    if fault.place is None:
        return {"field": fault.field, "message": fault.message}
    inside = f"batch[{fault.place}]"
    field = f"{inside}.{fault.field}" if fault.field else inside
    return {"field": field, "message": fault.message, "batch_index": fault.place}


__all__ = ["CORS", "done", "preflight", "refusal", "shown"]
