"""What browser and mobile libraries fetch before they send anything (API-35)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import parts
from api.limits import admit
from api.pipelines import schemas
from api.pipelines.answers import preflight, shown
from domain.errors import DomainError

router = APIRouter(tags=["Pipelines API"])

SETTINGS = "/projects/{write_key}/settings"
SCRIPTS = "/v1/analytics-js"
NO_SCRIPTS = (
    "This server serves no browser library. Bundle one with the site, or load it from elsewhere, and give it the "
    "address of this server as cdnURL."
)


async def library_settings(request: Request) -> Response:
    """Where a library sends its calls, and with which key."""
    here = parts(request)
    key = request.path_params.get("write_key", "")
    try:
        caller = await here.access.pipelines(key)
    except DomainError:
        raise DomainError("not_found", "There is no source with this write key.") from None
    await admit(request, caller, "pipelines")
    protocol, _, host = here.base_url.partition("://")
    ours = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": protocol}
    return shown({"integrations": {"Customer.io Data Pipelines": ours}})


async def no_scripts(_request: Request) -> Response:
    """Say where the library is not."""
    raise DomainError("not_found", NO_SCRIPTS)


async def _preflight(_request: Request) -> Response:
    return preflight()


def _add(prefix: str, *, described: bool) -> None:
    router.add_api_route(
        f"{prefix}{SETTINGS}",
        library_settings,
        methods=["GET"],
        operation_id="pipelines_settings",
        summary="Settings of a browser or mobile library",
        include_in_schema=described,
        responses=schemas.SETTINGS_ANSWERS,
        openapi_extra={"parameters": [schemas.WRITE_KEY]},
    )
    router.add_api_route(f"{prefix}{SETTINGS}", _preflight, methods=["OPTIONS"], include_in_schema=False)


_add("/v1", described=True)
_add("", described=False)
for _path in (SCRIPTS, SCRIPTS + "/{rest:path}"):
    router.add_api_route(_path, no_scripts, methods=["GET"], include_in_schema=False)
    router.add_api_route(_path, _preflight, methods=["OPTIONS"], include_in_schema=False)

__all__ = ["router"]
