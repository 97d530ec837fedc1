"""The body of a call that triggers a broadcast: whom it is for, and the data that templates call `trigger` (CHN-16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.broadcasts.entries import bad_line, name_of, read_entry
from domain.broadcasts.faults import EXACTLY_ONE, NOT_VALID, CallRefused, Fault
from domain.broadcasts.recipients import NotAFilter, Recipients, read_recipients
from domain.operations import identifier
from domain.web_addresses import NOT_A_URL, fault_of_rendered

MOST: Final = 10_000
"""How many ids, emails or entries one call may name."""
LONGEST_URL: Final = 8_192
AUDIENCES: Final = ("recipients", "ids", "emails", "per_user_data", "data_file_url")
_ID, _EMAIL, _TWICE = "id_ignore_missing", "email_ignore_missing", "email_add_duplicates"
FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "ids": (_ID,),
    "emails": (_EMAIL, _TWICE),
    "per_user_data": (_ID, _EMAIL, _TWICE),
    "data_file_url": (_ID, _EMAIL, _TWICE),
}
"""Which flags mean something for which audience; others are passed over."""


@dataclass(frozen=True)
class TriggerCall:
    """What was understood. `audience` is how it is kept: empty for whom the broadcast itself names, else one of the five.

    `recipients` is the filter with its condition, where there is one.
    """

    data: dict[str, Any]
    audience: dict[str, Any]
    recipients: Recipients | None = None

    def flag(self, name: str) -> bool:
        """Whether a flag is set that means something for this audience."""
        return bool(self.audience.get(name))


def read_call(body: Any) -> TriggerCall:
    """The call that a JSON body means; raises CallRefused."""
    if not isinstance(body, dict):
        raise CallRefused([Fault("type", "", "the body must be an object")])
    faults = [
        Fault("unknown_field", name, f"there is no attribute {name!r}")
        for name in body
        if name not in ("data", *AUDIENCES, _ID, _EMAIL, _TWICE)
    ]
    faults += [
        Fault("type", flag, f"{flag} must be true or false")
        for flag in (_ID, _EMAIL, _TWICE)
        if not isinstance(body.get(flag), bool | None)
    ]
    data = body.get("data")
    if data is not None and not isinstance(data, dict):
        faults.append(Fault("type", "data", "data must be an object"))
    given = [name for name in AUDIENCES if body.get(name) is not None and (name, body[name]) != ("recipients", {})]
    if len(given) > 1:
        faults.append(Fault("not_applicable", "recipients", EXACTLY_ONE))
    if faults:
        raise CallRefused(faults)
    if not given:
        return TriggerCall(data or {}, {})
    (name,) = given
    if name == "recipients":
        read = _recipients(body[name])
        return TriggerCall(data or {}, {name: read.filter}, read)
    flags = {flag: bool(body.get(flag)) for flag in FLAGS[name]}
    return TriggerCall(data or {}, {name: _READERS[name](body[name]), **flags})


def _recipients(raw: Any) -> Recipients:
    try:
        return read_recipients(raw)
    except NotAFilter as why:
        raise CallRefused([Fault("format", "recipients", NOT_VALID, str(why))]) from None


def _ids(raw: Any) -> list[str]:
    return list(dict.fromkeys(_names("ids", raw)))


def _emails(raw: Any) -> list[str]:
    """The addresses, each once whatever its case."""
    return list({identifier("email", email).value_key: email for email in reversed(_names("emails", raw))}.values())[
        ::-1
    ]


def _names(field: str, raw: Any) -> list[str]:
    names = [name_of(value) for value in _listed(field, raw)]
    if None in names:
        raise CallRefused([Fault("type", field, f"{field} must be a list of texts")])
    return [name for name in names if name is not None]


def _entries(raw: Any) -> list[dict[str, Any]]:
    entries = [read_entry(value) for value in _listed("per_user_data", raw)]
    bad = [bad_line(number) for number, entry in enumerate(entries, start=1) if entry is None]
    if bad:
        detail = f"per_user_data is not valid: {bad[0]}"
        message = 'Each entry is an object with "id" or "email", and "data".'
        raise CallRefused([Fault("format", "per_user_data", detail, message, bad)])
    return [entry for entry in entries if entry is not None]


def _file(raw: Any) -> str:
    fault = fault_of_rendered(raw.strip()) if isinstance(raw, str) and len(raw) <= LONGEST_URL else None
    if not isinstance(raw, str) or len(raw) > LONGEST_URL or (fault is not None and fault.code == "url_invalid"):
        raise CallRefused([Fault("url_invalid", "data_file_url", "data_file_url is not valid", NOT_A_URL)])
    return raw.strip()


def _listed(field: str, raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise CallRefused([Fault("type", field, f"{field} must be a list")])
    if not raw:
        raise CallRefused([Fault("length", field, f"{field} is empty")])
    if len(raw) > MOST:
        detail = f"{field} has {len(raw)} entries; at most {MOST} are allowed"
        raise CallRefused([Fault("length", field, detail)])
    return raw


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "ids": _ids,
    "emails": _emails,
    "per_user_data": _entries,
    "data_file_url": _file,
}

__all__ = ["AUDIENCES", "FLAGS", "MOST", "TriggerCall", "read_call"]
