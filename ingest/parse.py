"""The one parser of JSON bodies."""

from __future__ import annotations

from typing import Any

import orjson

from domain.errors import DomainError
from domain.values import check_json


def parse_json(body: bytes) -> Any:
    """The value of a JSON body; integers over 64 bit become floats.

    Raises DomainError `invalid_json` for what is not JSON and for what the database cannot keep.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DomainError("invalid_json", f"The body is not valid JSON: {error}.") from None
    check_json(value)
    return value
