"""What a description allows, narrowed to what people send.

By its letter most calls would be refused: an id may be empty, an identifier missing, a time lie before 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

OF_PEOPLE = frozenset({"id", "email", "cio_id", "phone", "anonymous_id"})
OF_OBJECTS = frozenset({"object_id", "object_type_id"})
NAME: Final = {"minLength": 1, "maxLength": 40}
WHEN: Final = {"minimum": 0, "maximum": 4_000_000_000}
LIKELY: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    "string": {
        **dict.fromkeys(("id", "cio_id", "name", "anonymous_id", "object_id", "delivery_id", "deliveryId"), NAME),
        **dict.fromkeys(("userId", "anonymousId", "previousId", "groupId", "objectId", "event", "token"), NAME),
        **{name: {"pattern": "^[1-9]$"} for name in ("object_type_id", "objectTypeId")},
        "email": {"format": "email"},
    },
    "integer": dict.fromkeys(("_timestamp", "timestamp", "last_used", "created_at"), WHEN),
}
"""What is likely to stand in a property of this type and name."""
DATE: Final = {"format": "none", "pattern": r"^20[0-3]\d-0[1-9]-[12]\dT[01]\d:[0-5]\d:[0-5]\d(\.\d{3})?Z$"}


def make_likely(schema: Any, name: str = "") -> None:
    """Narrow a schema and all in it, in place; `name` is the property that the schema is of."""
    if isinstance(schema, list):
        for item in schema:
            make_likely(item, name)
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties") or {}
    # A part of an `allOf` does not have all properties in it, so nothing may be said of the others there.
    if name != "allOf" and properties and set(properties) <= OF_PEOPLE | OF_OBJECTS:
        pair = OF_OBJECTS & set(properties)
        schema.update({"required": sorted(pair)} if pair else {"minProperties": 1, "maxProperties": 1})
        schema["additionalProperties"] = False
    if schema.get("type") == "object":
        schema.setdefault("propertyNames", {"minLength": 1, "maxLength": 40})
    if isinstance(kind := schema.get("type"), str):
        schema.update(LIKELY.get(kind, {}).get(name, {}))
    if schema.get("format") == "date-time":
        schema.update(DATE)
    if "requestBody" in schema:
        schema["requestBody"]["required"] = True
    for key, part in list(schema.items()):
        make_likely(part, name if key in ("anyOf", "items") else key)
