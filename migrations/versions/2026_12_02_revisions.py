"""Revisions of definitions, and who wrote them."""

from alembic import op

revision = "2026_12_02_revisions"
down_revision = "2026_12_01_sends"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
