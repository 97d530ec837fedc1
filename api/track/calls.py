"""What all Track endpoints do: find out who calls, accept operations, answer."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value, media_type, read_body
from api.deps import parts, track_caller
from clock import system_now
from domain import track
from domain.errors import DomainError
from domain.forms import nested
from domain.operations import Identifier
from domain.track import Call, Rules
from domain.values import check_json

logger = logging.getLogger("sojourn.api.track")

DONE: Final = b"{}"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
PREFIXES: Final = ("/api/v1", "/v1")
"""Where the first version is found: as documented, and as some clients and pages write it (API-01)."""
MOST_FIELDS: Final = 1000
_PARAMETER: Final = re.compile(r"{(\w+)}")
_PAIR: Final[list[dict[str, list[str]]]] = [{"TrackPair": []}]

Endpoint = Callable[[Request], Awaitable[Response]]


class Incoming:
    """One Track call from an accepted caller."""

    def __init__(self, request: Request, workspace_id: int, source: str, rules: Rules) -> None:
        self._request = request
        self.workspace_id = workspace_id
        self._source = source
        self.rules = rules

    @classmethod
    async def of(cls, request: Request) -> Incoming:
        """The call; raises DomainError `unauthorized` before anything of it is read."""
        inside = await track_caller(request)
        rules = await parts(request).access.rules(inside.caller)
        return cls(request, inside.workspace_id, f"Track API: {inside.caller.name}", rules)

    @property
    def person(self) -> Identifier:
        """The person that the path names; raises CallRefused."""
        return track.subject_of(self._request.path_params.get("identifier", ""), self.rules)

    async def accept(self, *calls: Call) -> None:
        """Return once the operations of all calls are committed, in this order."""
        await accept(self._request, self.workspace_id, self._source, calls)


async def accept(request: Request, workspace_id: int, source: str, calls: Sequence[Call]) -> None:
    """Return once the operations of all calls are committed, in this order."""
    ignored = sorted({name for call in calls for name in call.ignored})
    if ignored:
        logger.info("Accepted without effect: %s.", ", ".join(ignored), extra={"workspace": workspace_id})
    operations = [operation for call in calls for operation in call.operations]
    await parts(request).acceptor.append(workspace_id, operations, source, system_now())


def done() -> Response:
    """The answer to every accepted call: exactly 200 with an empty object, which all client libraries take."""
    return Response(DONE, media_type=JSON)


async def event_body(request: Request) -> Any:
    """The value of an event's body, which may be a form with bracket keys (API-06)."""
    if media_type(request) != FORM:
        return await json_value(request, TRACK_V1_LIMIT)
    try:
        text = (await read_body(request, TRACK_V1_LIMIT)).decode()
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise DomainError("invalid_form", f"The body is not a form: {error}.") from None
    value = nested(fields)
    check_json(value)
    return value


def described(*contents: tuple[str, dict[str, Any]], open_to_all: bool = False) -> dict[str, Any]:
    """What the API description adds to a Track route: the credential, and the body by media type."""
    said: dict[str, Any] = {"security": [] if open_to_all else _PAIR}
    if contents:
        said["requestBody"] = {"required": True, "content": {media: {"schema": schema} for media, schema in contents}}
    return said


def _in_path(path: str, said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The parameters of a path that are not described yet: texts, percent-encoded."""
    known = {parameter["name"] for parameter in said}
    names = [name for name in _PARAMETER.findall(path) if name not in known]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def register(
    router: APIRouter,
    path: str,
    endpoint: Endpoint,
    name: str,
    methods: Sequence[str],
    *,
    summary: str,
    extra: dict[str, Any],
    others: Sequence[str] = (),
) -> None:
    """Add an endpoint of the first version, under both prefixes; of its paths and methods only the first is described.

    `others` are methods that mean the same.
    """
    extra = {**extra, "parameters": [*_in_path(path, extra.get("parameters", ())), *extra.get("parameters", ())]}
    for prefix in PREFIXES:
        shown = prefix == PREFIXES[0]
        for more, taken in ((False, list(methods)), (True, list(others))):
            if taken:
                router.add_api_route(
                    f"{prefix}{path}",
                    endpoint,
                    methods=taken,
                    operation_id=name if shown and not more else f"{name}{prefix.replace('/', '_')}{'_too' * more}",
                    summary=summary,
                    include_in_schema=shown and not more,
                    openapi_extra=extra,
                )


__all__ = ["FORM", "JSON", "PREFIXES", "Incoming", "accept", "described", "done", "event_body", "register"]
