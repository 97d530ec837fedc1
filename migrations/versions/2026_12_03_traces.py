"""Trace contexts that travel with facts, starts and deliveries."""

from alembic import op

revision = "2026_12_03_traces"
down_revision = "2026_12_02_revisions"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE ingest_log ADD COLUMN traceparent text",
    "ALTER TABLE outbox ADD COLUMN traceparent text",
    "ALTER TABLE deliveries ADD COLUMN traceparent text",
)
"""Without a default, so that no row is rewritten; what knows nothing of them leaves them empty."""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
