"""The Pipelines API: what its messages mean, without the HTTP around them (API-17 to API-30)."""

from domain.pipelines.envelope import KINDS, Outer, outer_of
from domain.pipelines.findings import Fault, MessageRefused, Note
from domain.pipelines.reading import Batch, Reading, read, read_batch
from domain.pipelines.terms import MESSAGE_BYTES, Terms

__all__ = [
    "KINDS",
    "MESSAGE_BYTES",
    "Batch",
    "Fault",
    "MessageRefused",
    "Note",
    "Outer",
    "Reading",
    "Terms",
    "outer_of",
    "read",
    "read_batch",
]
