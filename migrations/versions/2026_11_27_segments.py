"""Segments and conditions: what became of messages each time it was reported, and finding the changes of one segment."""

from alembic import op

revision = "2026_11_27_segments"
down_revision = "2026_11_26_people_and_data"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE message_events (
        workspace_id INTEGER NOT NULL,
        delivery_id TEXT COLLATE "C" NOT NULL,
        seq BIGINT NOT NULL,
        metric TEXT COLLATE "C" NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        human BOOLEAN NOT NULL,
        link TEXT COLLATE "C",
        response TEXT COLLATE "C",
        PRIMARY KEY (workspace_id, delivery_id, seq, metric)
    )
    """,
    """
    CREATE INDEX activities_of_segments ON activities (workspace_id, (data -> 'segment_id'), activity_id)
    WHERE type IN ('segment_enter', 'segment_leave')
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
