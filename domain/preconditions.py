"""On what a caller makes a change depend: revisions that a definition must, or must not, be at (RFC 9110, section 13)."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from domain.errors import DomainError

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_GAP: Final = re.compile(r"[ \t]*(?:,[ \t]*)+|[ \t]+$")


class Tag(NamedTuple):
    """What a header says of one state; a weak one never proves that nothing differs."""

    text: str
    weak: bool


Tags = tuple[Tag, ...] | Literal["*"]
"""The states that a header names, or whatever state there is."""


class Preconditions(NamedTuple):
    """What the headers `If-Match` and `If-None-Match` of a request demand; None where one is not there."""

    match: Tags | None = None
    none_match: Tags | None = None

    @property
    def said(self) -> bool:
        """Whether anything is demanded."""
        return self.match is not None or self.none_match is not None

    def check(self, kind: str, key: str, revision: int | None) -> None:
        """Raise DomainError `revision_conflict` where a definition, at this revision or not there, is not as demanded."""
        what = f"The {kind} '{key}'"
        if self.match is not None and revision is None:
            raise _conflict(f"There is no {kind} '{key}', so it is at no revision that If-Match names.")
        if self.match is not None and self.match != "*" and Tag(str(revision), weak=False) not in self.match:
            asked = _named(self.match)
            raise _conflict(f"{what} is at revision {revision}, not at {asked}: read it again, and repeat the change.")
        if self.none_match is None or revision is None:
            return
        if self.none_match == "*":
            raise _conflict(f"{what} is there already, at revision {revision}; If-None-Match: * writes new ones only.")
        if str(revision) in {tag.text for tag in self.none_match}:
            raise _conflict(f"{what} is at revision {revision}, which If-None-Match rules out.")


NOTHING: Final = Preconditions()
"""The last write wins."""


def read_tags(header: str, value: str | None) -> Tags | None:
    """The tags in the value of a header, None where it was not sent; raises DomainError `invalid_parameter`."""
    if value is None:
        return None
    text = value.strip(" \t")
    if text == "*":
        return "*"
    tags: list[Tag] = []
    at = _skipped(text, 0)
    while at < len(text):
        found = _TAG.match(text, at)
        if found is None:
            break
        tags.append(Tag(found[2], found[1] is not None))
        at = found.end()
        after = _skipped(text, at)
        if after == at:
            break
        at = after
    if not tags or at < len(text):
        message = f'{header} takes revisions in quotes, such as "7", with commas between several, or * alone.'
        raise DomainError("invalid_parameter", message, f"/{header}")
    return tuple(tags)


def etag(revision: int) -> str:
    """The tag of a revision as a header says it."""
    return f'"{revision}"'


def _skipped(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return at if gap is None else gap.end()


def _named(tags: tuple[Tag, ...]) -> str:
    return " or ".join(f"{tag.text}{' (a weak tag, which never matches)' if tag.weak else ''}" for tag in tags[:5])


def _conflict(message: str) -> DomainError:
    return DomainError("revision_conflict", message)


__all__ = ["NOTHING", "Preconditions", "Tag", "Tags", "etag", "read_tags"]
