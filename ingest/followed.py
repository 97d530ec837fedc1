"""The facts of a batch that are traced: a span for each, from when the batch began until it was committed."""

from __future__ import annotations

from collections.abc import Sequence

from domain.outcomes import Done
from ingest.claim import Fact
from telemetry import tracing


class Followed:
    """The spans of one batch; none where nobody is traced. A fact that is left is what its batch ended with."""

    def __init__(self, workspace_id: int, facts: Sequence[Fact]) -> None:
        self._facts = facts
        self.spans: dict[int, tracing.Span] = {}
        if tracing.on():
            self.spans = {
                fact.row.seq: tracing.part_of(
                    fact.row.traceparent,
                    "ingest.apply",
                    "consumer",
                    workspace=workspace_id,
                    seq=fact.row.seq,
                    op=fact.operation.op,
                    batch=len(facts),
                )
                for fact in facts
                if fact.row.traceparent is not None
            }

    def committed(self, outcomes: Sequence[Done]) -> None:
        """The batch is committed, and this is what became of its facts."""
        for fact, done in zip(self._facts, outcomes, strict=False):
            if (span := self.spans.get(fact.row.seq)) is not None:
                span.note(outcome=done.outcome)
                span.end()

    def failed(self, error: BaseException) -> None:
        """The batch was given up; its facts are applied another time."""
        for span in self.spans.values():
            span.fail(type(error).__name__)
            span.end()


__all__ = ["Followed"]
