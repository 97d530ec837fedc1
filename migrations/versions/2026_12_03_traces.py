"""Trace contexts that travel with facts, starts and deliveries."""

from alembic import op

revision = "2026_12_03_traces"
down_revision = "2026_12_02_revisions"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
