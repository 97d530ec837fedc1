"""How ids look, and how the ones that must be guess-proof or repeatable are derived."""

from __future__ import annotations

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CIO_ID_DIGITS = 8


def cio_id(person_id: int) -> str:
    """The public form of a person's internal number: hexadecimal, at least eight digits (PPL-02)."""
    return f"{person_id:0{CIO_ID_DIGITS}x}"


def person_id_of(cio: str) -> int | None:
    """The internal number behind a `cio_id`, or None where the text cannot be one."""
    text = cio.strip().casefold()
    if not CIO_ID_DIGITS <= len(text) <= 16 or any(c not in "0123456789abcdef" for c in text):
        return None
    number = int(text, 16)
    return number if 0 < number < 2**63 and cio_id(number) == text else None


def cio_object_id(object_no: int) -> str:
    """The public form of an object's internal number: `ob` and hexadecimal digits, at least eight (PPL-25)."""
    return f"ob{object_no:0{CIO_ID_DIGITS}x}"


def object_no_of(cio: str) -> int | None:
    """The internal number behind a `cio_object_id`, or None where the text cannot be one."""
    text = cio.strip().casefold()
    return person_id_of(text.removeprefix("ob")) if text.startswith("ob") else None


def ulid(milliseconds: int, randomness: bytes) -> str:
    """A ULID of an instant and ten bytes of randomness, both given by the caller."""
    number = (milliseconds << 80) | int.from_bytes(randomness[:10], "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def workflow_id(campaign_id: int, person_id: int, journey_id: str) -> str:
    """The Temporal workflow id of a journey: internal ids only.

    Its own id makes it unique for ever: numbers of people, campaigns and facts come again after a restore, and a workflow
    of the lost time must not pass for that of a new journey.
    """
    return f"journey/{campaign_id}/{person_id}/{journey_id}"
