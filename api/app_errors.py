"""Refusals in the words of the App API (APP-01), beside our own: clients of either find what they look for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import Response

UNAUTHORIZED: Final = "unauthorized"
"""What the vendor says with 401, whatever is wrong with the credential."""


def refusal(status: int, detail: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    """One problem of the whole call."""
    body = in_both_words([{"pointer": "", "code": code, "message": detail}], status)
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")


def in_both_words(problems: Sequence[Mapping[str, Any]], status: int) -> dict[str, Any]:
    """The body of a refusal: each problem with `detail`, `status` and `source` for the vendor's clients, as it is for ours.

    Some of those clients print nothing but `meta.error`.
    """
    listed = [{**problem, **_theirs(problem, status)} for problem in problems]
    return {"errors": listed, "meta": {"error": "; ".join(dict.fromkeys(entry["detail"] for entry in listed))}}


def referenced(detail: str) -> str:
    """The sentence with a reference by which one answer is told from another."""
    return f"{detail} (reference {secrets.token_hex(3)})"


def _theirs(problem: Mapping[str, Any], status: int) -> dict[str, Any]:
    detail = UNAUTHORIZED if status == 401 else problem["message"]
    source = {"source": {"pointer": problem["pointer"]}} if problem["pointer"] else {}
    return {"detail": detail, "status": str(status), **source}


__all__ = ["in_both_words", "referenced", "refusal"]
