"""Revisions of definitions, and who wrote them."""

from alembic import op

revision = "2026_12_02_revisions"
down_revision = "2026_12_01_sends"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE definition_revisions (
        workspace_id INTEGER NOT NULL,
        kind TEXT COLLATE "C" NOT NULL,
        definition_id INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        document JSONB NOT NULL,
        diff JSONB,
        author TEXT COLLATE "C",
        source TEXT COLLATE "C",
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, kind, definition_id, revision)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
