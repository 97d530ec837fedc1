"""The upkeep of the deployment as rows: what runs next, when, and what came of it last."""

from alembic import op

revision = "2026_12_04_retention"
down_revision = "2026_12_03_traces"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE maintenance (
        job TEXT COLLATE "C" NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        kept_days INTEGER,
        began_at TIMESTAMP WITH TIME ZONE,
        ended_at TIMESTAMP WITH TIME ZONE,
        succeeded_at TIMESTAMP WITH TIME ZONE,
        outcome TEXT COLLATE "C",
        report JSONB NOT NULL,
        partitions_dropped BIGINT NOT NULL,
        rows_deleted BIGINT NOT NULL,
        PRIMARY KEY (job)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
