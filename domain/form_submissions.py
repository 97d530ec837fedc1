"""What somebody filled in as operations: an identify with the mapped attributes, and the event `form_submit` (API-33)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.definitions.form import EVENT_ONLY, FormDefinition, Identifies, Sets, default_use
from domain.emails import bare_address
from domain.form_events import FORM_EVENT
from domain.operations import Identifier, IdentifierKind, Identify, TrackEvent
from domain.track.calls import CallRefused, Fault, Rules, refuse_if
from domain.track.identifiers import id_faults
from domain.track.limits import EVENT_DATA_BYTES, NAME_BYTES, attribute_faults, size

FORM_TYPE: Final = "custom"
RESERVED: Final = frozenset({"form_id", "form_name", "form_type", "form_url", "form_url_param", "form_url_params"})
"""What a submission says of its form; fields with these names are left out."""
_CONTROL: Final = frozenset({"cio_id", "anonymous_id", "cio_relationships", "_relationship", "_update", "_timestamp"})
_LIMIT: Final = 300


def fields_of(body: Any) -> dict[str, str]:
    """The fields of `{"data": {...}}` without reserved ones; raises CallRefused."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        raise CallRefused([Fault("required", "data", "data must be present and hold the fields of the form")])
    fields = {name: value for name, value in data.items() if name not in RESERVED}
    faults = [
        Fault("invalid", name, f"value for field '{name[:NAME_BYTES]}' must be formatted as a string")
        for name, value in fields.items()
        if not isinstance(value, str)
    ]
    if not fields and not faults:
        faults = [Fault("required", "data", "data must hold at least one field")]
    if len(fields) > _LIMIT:
        faults.append(Fault("too_long", "data", f"a form cannot have more than {_LIMIT} fields"))
    faults += [Fault("invalid", "data", "field name cannot be blank") for name in fields if not name.strip()]
    long = [name for name in fields if len(name) * 4 > NAME_BYTES and size(name) > NAME_BYTES]
    faults += [Fault("too_long", "data", f"field name cannot be longer than {NAME_BYTES} bytes") for _ in long]
    refuse_if(faults)
    return fields


def first_document(form_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """What is written down of a form that nobody knew until this submission, its key apart."""
    uses = {name: EVENT_ONLY if name in _CONTROL else default_use(name) for name in fields}
    shown = {name: use if isinstance(use, str) else use.model_dump() for name, use in uses.items()}
    return {"kind": "form", "name": form_id, "form_id": form_id, "fields": shown}


def operations(
    form: FormDefinition,
    fields: Mapping[str, str],
    rules: Rules,
    *,
    url: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> tuple[Identify, TrackEvent]:
    """Who sent the form and what it says; raises CallRefused.

    `url` is the page it was sent from, `parameters` are those of that page's address: they stay with the event.
    """
    faults: list[Fault] = []
    subject = _subject(form, fields, rules, faults)
    attributes = {
        attribute: value
        for name, value in fields.items()
        if (attribute := _attribute(form, name, rules)) is not None and value
    }
    faults += attribute_faults(attributes, rules)
    data = _event_data(form, fields, url, parameters or {})
    if size(data) > EVENT_DATA_BYTES:
        faults.append(Fault("too_long", "data", f"a submission cannot be longer than {EVENT_DATA_BYTES} bytes"))
    refuse_if(faults)
    assert subject is not None, "whoever is not named is refused"
    return Identify(subject=subject, attributes=attributes), TrackEvent(subject=subject, name=FORM_EVENT, data=data)


def _subject(form: FormDefinition, fields: Mapping[str, str], rules: Rules, faults: list[Fault]) -> Identifier | None:
    """The person that exactly one field has to name."""
    given = [(kind, fields[name]) for name in fields if (kind := _kind(form, name, rules)) and fields[name].strip()]
    words = "email or id" if rules.email_identifies else "id"
    if not given:
        faults.append(Fault("required", "data", f"data must hold {words}, or a field that is mapped to it"))
        return None
    if len(given) > 1:
        faults.append(Fault("invalid", "data", f"data must hold exactly one of {words}"))
        return None
    ((kind, value),) = given
    if kind == "email" and bare_address(value) is None:
        faults.append(Fault("invalid", "email", "email is not a valid address"))
    elif kind == "id":
        faults += id_faults(value)
    return Identifier(kind=kind, value=value.strip() if kind == "email" else value)


def _kind(form: FormDefinition, field: str, rules: Rules) -> IdentifierKind | None:
    """What kind of name a field holds, None where it holds none."""
    use = form.use_of(field)
    said = use.identifier if isinstance(use, Identifies) else use.attribute if isinstance(use, Sets) else ""
    if said == "email":
        return "email" if rules.email_identifies else None
    return "id" if said == "id" else None


def _attribute(form: FormDefinition, field: str, rules: Rules) -> str | None:
    """The attribute that a field sets, None where it sets none."""
    if _kind(form, field, rules) is not None:
        return None
    use = form.use_of(field)
    if isinstance(use, Identifies):
        return use.identifier
    return use.attribute if isinstance(use, Sets) and use.attribute not in _CONTROL else None


def _event_data(
    form: FormDefinition, fields: Mapping[str, str], url: str | None, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The fields under their own names; a field beats a parameter of the same name."""
    extra = {name: value for name, value in parameters.items() if name not in fields and name not in RESERVED}
    data: dict[str, Any] = {"form_key": form.key, **extra, **fields}
    data |= {"form_id": form.form_id, "form_name": form.shown_name, "form_type": FORM_TYPE}
    if url is not None:
        data["form_url"] = url
    return data | ({"form_url_params": sorted(extra)} if extra else {})


__all__ = ["RESERVED", "fields_of", "first_document", "operations"]
