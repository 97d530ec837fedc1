"""What version two of the Track API does with people: `type: person` and its actions (API-13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from domain.operations import DeletePerson, EventKind, Identifier, SuppressPerson, UnsuppressPerson
from domain.track.calls import Call, Fault, Rules, refuse_if
from domain.track.devices import add_device, delete_device, token_of
from domain.track.events import anonymous_event, event
from domain.track.identifiers import ANONYMOUS_ID, names_anonymous, person_of
from domain.track.identifying import identify
from domain.track.merging import merge
from domain.track.relationships import RELATIONSHIPS, Action, Side, of_person

Reader = Callable[[Mapping[str, Any], Rules], Call]


def _identify(body: Mapping[str, Any], rules: Rules) -> Call:
    identifiers = body.get("identifiers")
    attributes = body.get("attributes")
    return identify(
        _subject(body, rules),
        {} if attributes is None else attributes,
        rules,
        timestamp=body.get("timestamp"),
        relationships=body.get(RELATIONSHIPS),
        anonymous_id=identifiers.get(ANONYMOUS_ID) if isinstance(identifiers, Mapping) else None,
    )


def _event(kind: EventKind, body: Mapping[str, Any], rules: Rules) -> Call:
    identifiers = body.get("identifiers")
    if isinstance(identifiers, Mapping) and names_anonymous(identifiers) and identifiers[ANONYMOUS_ID]:
        return anonymous_event(body, anonymous_id=identifiers[ANONYMOUS_ID], data_field="attributes", kind=kind)
    return event(_subject(body, rules), body, data_field="attributes", kind=kind)


def _relationships(action: Action, body: Mapping[str, Any], rules: Rules) -> Call:
    person = _subject(body, rules)
    faults: list[Fault] = []
    change = of_person(person, Side(body.get(RELATIONSHIPS), RELATIONSHIPS, rules), faults, action=action)
    refuse_if(faults)
    return Call((change,) if change is not None else ())


def _add_device(body: Mapping[str, Any], rules: Rules) -> Call:
    return add_device(_subject(body, rules), body, rules, under="token")


def _delete_device(body: Mapping[str, Any], rules: Rules) -> Call:
    return delete_device(_subject(body, rules), token_of(body), "token")


def _delete(body: Mapping[str, Any], rules: Rules) -> Call:
    return Call((DeletePerson(subject=_subject(body, rules)),))


def _suppress(body: Mapping[str, Any], rules: Rules) -> Call:
    return Call((SuppressPerson(subject=_subject(body, rules)),))


def _unsuppress(body: Mapping[str, Any], rules: Rules) -> Call:
    return Call((UnsuppressPerson(subject=_subject(body, rules)),))


def _content(action: str, _body: Mapping[str, Any], _rules: Rules) -> Call:
    """In-app content shown to somebody not known: it belongs to no delivery and to nobody."""
    return Call((), (action,))


def _subject(body: Mapping[str, Any], rules: Rules) -> Identifier:
    faults: list[Fault] = []
    person = person_of(body.get("identifiers"), rules, faults)
    refuse_if(faults)
    assert person is not None, "there would be a fault"
    return person


ACTIONS: Final[Mapping[str, Reader]] = {
    "identify": _identify,
    "delete": _delete,
    "event": partial(_event, "event"),
    "page": partial(_event, "page"),
    "screen": partial(_event, "screen"),
    "add_relationships": partial(_relationships, "add"),
    "delete_relationships": partial(_relationships, "delete"),
    "add_device": _add_device,
    "delete_device": _delete_device,
    "merge": merge,
    "suppress": _suppress,
    "unsuppress": _unsuppress,
    "viewed_content": partial(_content, "viewed_content"),
    "clicked_content": partial(_content, "clicked_content"),
}

__all__ = ["ACTIONS", "Reader"]
