"""What retention needs to know and to say."""

from alembic import op

revision = "2026_12_04_retention"
down_revision = "2026_12_03_traces"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
