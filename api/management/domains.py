"""Verifying a domain (MSG-19)."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from api.deps import Db, Now, ProcessParts
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer
from api.management.signing_keys import Configuring
from api.paths import reference
from domain.domain_records import Purpose
from services import domains

router = APIRouter(tags=["Lifecycle"])


class DomainRecord(Answer):
    """One record of the domain: what it should say, and what was found."""

    purpose: Purpose
    name: str
    expected: str
    found: str | None
    ok: bool


class Verified(Answer):
    """What was found."""

    status: Literal["verified", "unverified"]
    records: list[DomainRecord]


@router.post(
    "/v1/domains/{domain}/verify",
    operation_id="verifyDomain",
    summary="Look up the DNS records of a domain now",
    response_model=Verified,
    responses=errors(404),
)
async def verify(db: Db, inside: Configuring, *, now: Now, parts: ProcessParts, domain: str) -> Response:
    """Records are looked up only by this call, and only report: mail goes out from a domain that is registered."""
    answer = await domains.verify(
        db, inside.workspace_id, reference(domain), names=parts.names, base_url=parts.base_url, now=now
    )
    return json_response(answer)


__all__ = ["router"]
