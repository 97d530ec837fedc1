"""Refusals in the words of the App API (APP-01), beside our own: clients of either find what they look for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import orjson
from fastapi import Response


def refusal(status: int, detail: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    """One problem: `detail` and `status` for the vendor's clients, `code` and `message` for ours."""
    problem = {"detail": detail, "status": str(status), "code": code, "message": detail, "pointer": ""}
    body = {"errors": [problem], "meta": {"error": detail}}
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")


def referenced(detail: str) -> str:
    """The sentence with a reference by which one answer is told from another."""
    return f"{detail} (reference {secrets.token_hex(3)})"


__all__ = ["referenced", "refusal"]
