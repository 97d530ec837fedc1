"""Request bodies: read up to a limit that counts after decompression, then parsed."""

from __future__ import annotations

import zlib
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from domain.errors import DomainError, InvalidInput, Problem
from domain.problems import from_validation_error
from ingest.parse import parse_json
from services.documents_io import load_yaml

K: Final = 1024
TRACK_V1_LIMIT: Final = 128 * K
TRACK_ENTITY_LIMIT: Final = 32 * K
TRACK_BATCH_LIMIT: Final = 500 * K
MANAGEMENT_LIMIT: Final = 10 * K * K
YAML_TYPES: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_WINDOWS: Final = {"gzip": _GZIP_WINDOW, "x-gzip": _GZIP_WINDOW, "deflate": zlib.MAX_WBITS}

_Model = TypeVar("_Model", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """The body as it was before compression; raises DomainError `too_large`, `unsupported_media_type`, `invalid_json`."""
    request.state.body = body = await _read(request, limit)
    return body


async def _read(request: Request, limit: int) -> bytes:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise _too_large(limit)
        return await _plain(request, limit)
    if encoding not in _WINDOWS:
        raise DomainError("unsupported_media_type", "Send the body as it is, or with gzip or deflate.")
    return await _unpacked(request, _WINDOWS[encoding], limit)


def media_type(request: Request) -> str:
    """The content type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def json_value(request: Request, limit: int) -> Any:
    """The JSON value of the body, whatever its content type says."""
    return parse_json(await read_body(request, limit))


async def documents(request: Request) -> list[Any] | None:
    """The documents of a YAML body, or None where the body is not YAML."""
    if media_type(request) not in YAML_TYPES:
        return None
    return load_yaml(await read_body(request, MANAGEMENT_LIMIT))


async def one_value(request: Request) -> Any:
    """The value of a body that holds one document, in JSON or YAML."""
    found = await documents(request)
    if found is None:
        return await json_value(request, MANAGEMENT_LIMIT)
    if len(found) != 1:
        message = f"One document is expected here, and the body holds {len(found)}."
        raise InvalidInput([Problem(code="length", message=message)])
    return found[0]


async def optional(request: Request) -> Any:
    """The JSON value of the body, None where there is none."""
    body = await read_body(request, MANAGEMENT_LIMIT)
    return parse_json(body) if body.strip() else None


async def model(request: Request, kind: type[_Model]) -> _Model:
    """The JSON body as a model; raises InvalidInput."""
    raw = await json_value(request, MANAGEMENT_LIMIT)
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, raw)) from None


def schema(kind: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """What the API description says of a route whose body `model` reads."""
    described = kind.model_json_schema()
    parts = described.pop("$defs", {})
    content = {"application/json": {"schema": _whole(described, parts)}}
    return {"requestBody": {"required": required, "content": content}}


def _whole(described: Any, parts: dict[str, Any]) -> Any:
    """A description in which the parts stand where they are referred to."""
    if isinstance(described, list):
        return [_whole(one, parts) for one in described]
    if not isinstance(described, dict):
        return described
    part = parts.get(str(described.get("$ref", "")).rpartition("/")[2])
    if part is not None:
        return _whole(part, parts)
    return {name: _whole(value, parts) for name, value in described.items()}


async def _plain(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _unpacked(request: Request, window: int, limit: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    body = bytearray()
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            body += unpacker.decompress(chunk, limit + 1 - len(body))
            if len(body) > limit or received > limit + K:
                raise _too_large(limit)
        complete = unpacker.eof and not unpacker.unused_data
    except zlib.error:
        complete = False
    if not complete:
        raise DomainError("invalid_json", "The body is not what its Content-Encoding says.")
    return bytes(body)


def _too_large(limit: int) -> DomainError:
    return DomainError("too_large", f"The body is larger than {limit} bytes.")


__all__ = [
    "MANAGEMENT_LIMIT",
    "TRACK_BATCH_LIMIT",
    "TRACK_ENTITY_LIMIT",
    "TRACK_V1_LIMIT",
    "documents",
    "json_value",
    "media_type",
    "model",
    "one_value",
    "optional",
    "read_body",
    "schema",
]
