"""The journey engine: occurrences that wait for filters, why people did not enter, cohorts of objects, tests, drafts, calls."""

from alembic import op

revision = "2026_11_28_journey_engine"
down_revision = "2026_11_27_segments"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE definitions
        ADD COLUMN webhook_token TEXT COLLATE "C",
        ADD COLUMN sample JSONB,
        ADD COLUMN audience TEXT COLLATE "C",
        ADD COLUMN interval_since TIMESTAMP WITH TIME ZONE,
        ADD COLUMN goal_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN goal_changed_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN goal_changed_seq BIGINT,
        ADD COLUMN schedule_problems JSONB
    """,
    "CREATE UNIQUE INDEX definitions_by_webhook ON definitions (webhook_token) WHERE webhook_token IS NOT NULL",
    """
    CREATE TABLE entry_retries (
        workspace_id INTEGER NOT NULL,
        person_id BIGINT NOT NULL,
        campaign_id INTEGER NOT NULL,
        entry TEXT COLLATE "C" NOT NULL,
        occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
        occurred_seq BIGINT NOT NULL,
        trigger JSONB NOT NULL,
        parked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        until TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (workspace_id, person_id, campaign_id, entry)
    )
    """,
    "CREATE INDEX entry_retries_by_end ON entry_retries (workspace_id, until)",
    """
    CREATE TABLE entry_refusals (
        workspace_id INTEGER NOT NULL,
        campaign_id INTEGER NOT NULL,
        person_id BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        occurrence TEXT COLLATE "C" NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        step TEXT COLLATE "C" NOT NULL,
        evidence JSONB NOT NULL,
        PRIMARY KEY (workspace_id, campaign_id, person_id, seq, occurrence)
    )
    """,
    """
    CREATE INDEX journeys_by_object ON journeys (workspace_id, (trigger -> 'object'), person_id)
    WHERE state = 'in_progress' AND trigger ? 'object'
    """,
    "CREATE INDEX journeys_by_trigger_person ON journeys (workspace_id, (trigger -> 'person')) WHERE trigger ? 'person'",
    "CREATE INDEX entry_refusals_by_age ON entry_refusals (workspace_id, at)",
    "CREATE INDEX entry_refusals_by_person ON entry_refusals (workspace_id, person_id)",
    """
    CREATE TABLE cohort_assignments (
        workspace_id INTEGER NOT NULL,
        action_id INTEGER NOT NULL,
        object_no BIGINT NOT NULL,
        path TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (workspace_id, action_id, object_no)
    )
    """,
    """
    ALTER TABLE deliveries
        ADD COLUMN variant TEXT COLLATE "C",
        ADD COLUMN holdout BOOLEAN NOT NULL DEFAULT false,
        ADD COLUMN edited BOOLEAN NOT NULL DEFAULT false
    """,
    "ALTER TABLE deliveries ALTER COLUMN holdout DROP DEFAULT, ALTER COLUMN edited DROP DEFAULT",
    """
    CREATE INDEX deliveries_drafted ON deliveries (workspace_id, created_at, delivery_id)
    WHERE draft AND status = 'drafted'
    """,
    """
    CREATE TABLE endpoint_answers (
        workspace_id INTEGER NOT NULL,
        host TEXT COLLATE "C" NOT NULL,
        minute TIMESTAMP WITH TIME ZONE NOT NULL,
        succeeded INTEGER NOT NULL,
        throttled INTEGER NOT NULL,
        PRIMARY KEY (workspace_id, host, minute)
    )
    """,
    """
    CREATE TABLE endpoint_turns (
        workspace_id INTEGER NOT NULL,
        host TEXT COLLATE "C" NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, host)
    )
    """,
    """
    CREATE TABLE signing_keys (
        workspace_id INTEGER NOT NULL,
        purpose TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (workspace_id, purpose, key)
    )
    """,
    """
    CREATE TABLE llm_usage (
        workspace_id INTEGER NOT NULL,
        day DATE NOT NULL,
        tokens BIGINT NOT NULL,
        PRIMARY KEY (workspace_id, day)
    )
    """,
    """
    INSERT INTO metric_totals (workspace_id, kind, ref_id, metric, total)
    SELECT workspace_id, 'block', action_id,
           CASE WHEN outcome = 'branched' AND path IS NOT NULL THEN 'branched/' || path ELSE outcome END, count(*)
    FROM journey_steps WHERE outcome <> 'waiting' GROUP BY 1, 3, 4
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
