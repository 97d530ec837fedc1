"""What the records of a sending domain or a tracking host should say, and whether they do (MSG-19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Purpose = Literal["spf", "dkim", "dmarc", "mx", "cname", "txt"]
RecordType = Literal["TXT", "MX", "CNAME"]

SPF: Final = "v=spf1 include:<your relay> ~all"
DKIM: Final = "v=DKIM1; p=<the public key of your relay>"
DMARC: Final = "v=DMARC1; p=none"
MX: Final = "<a server that takes what bounces>"


class Wanted(NamedTuple):
    """One record to look for: any of the names may have it, the first that has any counts."""

    purpose: Purpose
    names: tuple[str, ...]
    type: RecordType
    expected: str


class Record(NamedTuple):
    """One record as it was found, None where there was none."""

    purpose: Purpose
    name: str
    expected: str
    found: str | None
    ok: bool


def wanted_of_sender(domain: str, dkim_selector: str | None) -> list[Wanted]:
    """The records of a domain that mail is sent from; its key can be looked for where the selector is known."""
    wanted = [Wanted("mx", (domain,), "MX", MX), Wanted("spf", (domain,), "TXT", SPF)]
    if dkim_selector is not None:
        wanted.append(Wanted("dkim", (f"{dkim_selector}._domainkey.{domain}",), "TXT", DKIM))
    parts = domain.split(".")
    above = tuple(".".join(parts[start:]) for start in range(max(len(parts) - 1, 1)))
    return [*wanted, Wanted("dmarc", tuple(f"_dmarc.{name}" for name in above), "TXT", DMARC)]


def wanted_of_host(host: str, target: str) -> list[Wanted]:
    """The record of a host that links are tracked on."""
    return [Wanted("cname", (host,), "CNAME", target)]


def judged(wanted: Wanted, name: str, values: Sequence[str]) -> Record:
    """A record with these values under a name."""
    mine = [value for value in values if _is_about(wanted.purpose, value)]
    found = " | ".join(mine) or None
    ok = len(mine) == 1 or (bool(mine) and wanted.purpose == "mx")
    if wanted.purpose == "cname":
        ok = any(_host(value) == _host(wanted.expected) for value in mine)
    elif wanted.purpose == "mx":
        # A null MX says that the domain takes no mail at all.
        ok = ok and not any(value.split()[-1] == "." for value in mine)
    elif wanted.purpose in ("dkim", "dmarc"):
        ok = ok and bool(_tag(mine[0], "p"))
    return Record(wanted.purpose, name, wanted.expected, found, ok)


def _is_about(purpose: Purpose, value: str) -> bool:
    text = value.strip().lower()
    if purpose == "spf":
        return text == "v=spf1" or text.startswith("v=spf1 ")
    if purpose == "dmarc":
        return text.startswith("v=dmarc1")
    if purpose == "dkim":
        return "p=" in text.replace(" ", "")
    return True


def _tag(value: str, tag: str) -> str | None:
    parts = [part.partition("=") for part in value.split(";")]
    return next((text.strip() for name, _, text in parts if name.strip().lower() == tag), None)


def _host(name: str) -> str:
    return name.strip().rstrip(".").lower()


__all__ = ["Purpose", "Record", "RecordType", "Wanted", "judged", "wanted_of_host", "wanted_of_sender"]
