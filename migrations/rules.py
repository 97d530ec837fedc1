"""What a migration may not do, because the code of the last release runs on the schema while and after it does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """Statements that break the old code or keep it waiting, why, and what to do instead."""

    pattern: re.Pattern[str]
    why: str


def _rule(pattern: str, why: str) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), why)


_CHANGED: Final = r"^ALTER TABLE (?:IF EXISTS |ONLY )*(?P<table>\w+) "
RULES: Final = (
    _rule(r"^DROP (?:TABLE|VIEW|TYPE|SEQUENCE|FUNCTION)\b", "the old code may still use it: drop it one release later"),
    _rule(r"^TRUNCATE\b", "it takes away what the old code works with"),
    _rule(rf"{_CHANGED}.*\bDROP COLUMN\b", "the old code names the column: drop it one release after its last user"),
    _rule(
        rf"{_CHANGED}.*\bRENAME\b",
        "the old code knows the old name: add the new column, fill it, drop the old one later",
    ),
    _rule(
        rf"{_CHANGED}.*\bSET NOT NULL\b",
        "it reads the whole table under a lock that stops everybody: add CHECK (... IS NOT NULL) NOT VALID, validate it in "
        "a migration of its own, and the old code must write the column already",
    ),
    _rule(
        rf"{_CHANGED}.*\bALTER (?:COLUMN )?\w+ (?:SET DATA )?TYPE\b",
        "it writes the whole table anew: add another column",
    ),
    _rule(
        rf"{_CHANGED}.*\bADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT\b|CHECK\b|UNIQUE\b|PRIMARY\b|FOREIGN\b)[^,]*\bNOT NULL\b"
        r"(?![^,]*\bDEFAULT\b)",
        "the old code does not write the column: let it be null, or give it a constant default that stays",
    ),
    _rule(
        rf"{_CHANGED}.*\bADD (?:COLUMN )?[^,]*\bDEFAULT\s+(?:now|clock_timestamp|random|gen_random_uuid|nextval|timeofday)\s*\(",
        "a default that differs by row writes the whole table anew: add the column without, fill it in pages",
    ),
    _rule(rf"{_CHANGED}.*\bGENERATED ALWAYS AS\b", "a stored column writes the whole table anew"),
    _rule(
        rf"{_CHANGED}.*\bADD (?:COLUMN )?[^,]*\b(?:SERIAL|BIGSERIAL|GENERATED \w+(?: \w+)? AS IDENTITY)\b",
        "it numbers every row",
    ),
    _rule(
        rf"{_CHANGED}.*\bADD (?:CONSTRAINT \w+ )?(?:CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID\b)",
        "it reads the whole table under a lock: add it NOT VALID and validate it in a migration of its own",
    ),
    _rule(
        rf"{_CHANGED}.*\bADD (?:CONSTRAINT \w+ )?(?:UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.*\bUSING INDEX\b)",
        "it builds an index under a lock",
    ),
    _rule(
        r"^(?:DROP|REINDEX) (?:INDEX|TABLE)\b(?!.*\bCONCURRENTLY\b)",
        "the old code may ask by it, and it locks its table",
    ),
    _rule(
        r"^CREATE (?:UNIQUE )?INDEX\b.* ON (?:ONLY )?(?P<table>\w+)",
        "it stops all who write: migrations.indexes.create_index",
    ),
    _rule(r"^(?:UPDATE|DELETE FROM) ", "it touches rows in one go: a task of the new code does it in pages"),
    _rule(r"^INSERT INTO .*\bSELECT\b.* FROM ", "it copies rows in one go: a task of the new code does it in pages"),
    _rule(r"^(?:LOCK TABLE|CLUSTER|VACUUM FULL)\b", "it stops everybody"),
)
_ON_NEW_TABLES: Final = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)


class Problem(NamedTuple):
    """A statement that may not stand in a migration, and why."""

    statement: str
    why: str


def problems(statements: list[str]) -> Iterator[Problem]:
    """What of a migration's statements may not be; tables that it makes itself are its own affair."""
    flat = [" ".join(re.sub(r"--[^\n]*", " ", statement).split()) for statement in statements]
    made = {found.group(1) for text in flat if (found := _ON_NEW_TABLES.match(text))}
    for text in flat:
        for rule in RULES:
            found = rule.pattern.search(text)
            if found and found.groupdict().get("table") not in made:
                yield Problem(text, rule.why)


__all__ = ["RULES", "Problem", "problems"]
