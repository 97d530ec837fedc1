"""Identify calls: the attributes of a person, and the reserved names among them that ask for more (API-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.operations import AnyOperation, BindAnonymous, Identifier, Identify
from domain.track.calls import Call, CallRefused, Fault, Rules, refuse_if
from domain.track.identifiers import ANONYMOUS_ID, CIO_PREFIX, id_faults
from domain.track.limits import attribute_faults, flag, moment, optional_text
from domain.track.relationships import RELATIONSHIPS, Side, of_attribute, of_person

_MISSING: Final = object()


def identify(
    subject: Identifier,
    body: Any,
    rules: Rules,
    *,
    timestamp: Any = None,
    relationships: Any = None,
    anonymous_id: Any = None,
) -> Call:
    """The operations of `PUT /customers/{identifier}` and of v2 `identify`; raises CallRefused with everything wrong.

    A `cio_id` among the attributes refers to the person in place of `subject`, which then is one more attribute.
    What v2 says beside the attributes is in the other arguments: `relationships` is its array of objects.
    """
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "attributes", "attributes must be a hash")])
    attributes = dict(body)
    faults: list[Fault] = []
    when = moment(attributes.pop("_timestamp", None), "_timestamp", faults)
    when = when if timestamp is None else moment(timestamp, "timestamp", faults)
    update_only = flag(attributes.pop("_update", None), "_update", faults)
    said = attributes.pop(ANONYMOUS_ID, None)
    anonymous = optional_text(anonymous_id if said is None else said, ANONYMOUS_ID, ANONYMOUS_ID, faults)
    related = attributes.pop(RELATIONSHIPS, None)
    subject = _referred(subject, attributes, faults)
    faults += attribute_faults(attributes, rules, forbidden="_relationship")
    following: list[AnyOperation] = []
    if anonymous:
        following.append(BindAnonymous(subject=subject, anonymous_id=anonymous))
    if related is not None:
        change = of_attribute(subject, Side(related, RELATIONSHIPS, rules), faults)
        following += [change] if change is not None else []
    if relationships is not None:
        change = of_person(subject, Side(relationships, RELATIONSHIPS, rules), faults, existing_people=True)
        following += [change] if change is not None else []
    refuse_if(faults)
    first = Identify(subject=subject, attributes=attributes, timestamp=when, update_only=update_only)
    return Call((first, *following))


def _referred(subject: Identifier, attributes: dict[str, Any], faults: list[Fault]) -> Identifier:
    """Whom the call is about; identifiers among the attributes are made texts on the way."""
    identifier = attributes.get("id", _MISSING)
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        attributes["id"] = str(identifier)
    elif identifier is not _MISSING and identifier is not None:
        faults += id_faults(identifier)
    reference = attributes.pop("cio_id", None)
    if reference is None or reference == "":
        return subject
    if not isinstance(reference, str):
        faults.append(Fault("invalid", "cio_id", "cio_id attribute must be a string value"))
        return subject
    if subject.kind != "cio_id":
        attributes.setdefault(subject.kind, subject.value)
    return Identifier(kind="cio_id", value=reference.removeprefix(CIO_PREFIX))


__all__ = ["identify"]
