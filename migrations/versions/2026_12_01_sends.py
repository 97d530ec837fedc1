"""Sends asked for by API: transactional messages, broadcasts, snippets, languages, sending domains, suppressed addresses."""

from alembic import op

revision = "2026_12_01_sends"
down_revision = "2026_11_28_journey_engine"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE deliveries
        ADD COLUMN transactional_id INTEGER,
        ADD COLUMN trigger_no INTEGER,
        ADD COLUMN recipient_no INTEGER,
        ADD COLUMN language TEXT COLLATE "C",
        ADD COLUMN content_id INTEGER,
        ADD COLUMN forgotten BOOLEAN NOT NULL DEFAULT false,
        ADD COLUMN in_hand BOOLEAN GENERATED ALWAYS AS (status = 'queued' AND NOT draft AND trigger_no IS NULL) STORED,
        ADD COLUMN as_draft BOOLEAN GENERATED ALWAYS AS (draft AND status = 'drafted') STORED
    """,
    "ALTER TABLE deliveries ALTER COLUMN forgotten DROP DEFAULT",
    # An outcome is written beside its row and into no index: no index asks for the status, and each page has room for it.
    "ALTER TABLE deliveries SET (fillfactor = 40)",
    "DROP INDEX deliveries_in_hand",
    "CREATE INDEX deliveries_in_hand ON deliveries (workspace_id, delivery_id) WHERE in_hand",
    "DROP INDEX deliveries_drafted",
    "CREATE INDEX deliveries_drafted ON deliveries (workspace_id, created_at, delivery_id) WHERE as_draft",
    "DROP INDEX deliveries_by_journey",
    "CREATE INDEX deliveries_by_journey ON deliveries (workspace_id, journey_id) WHERE journey_id IS NOT NULL",
    """
    CREATE INDEX deliveries_by_transactional ON deliveries (workspace_id, transactional_id, created_at)
    WHERE transactional_id IS NOT NULL
    """,
    """
    CREATE INDEX deliveries_by_trigger ON deliveries (workspace_id, campaign_id, trigger_no, recipient_no)
    WHERE trigger_no IS NOT NULL
    """,
    """
    CREATE TABLE delivery_requests (
        workspace_id INTEGER NOT NULL,
        delivery_id TEXT COLLATE "C" NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        request JSONB NOT NULL,
        PRIMARY KEY (workspace_id, delivery_id, created_at)
    ) PARTITION BY RANGE (created_at)
    """,
    "CREATE TABLE delivery_requests_default PARTITION OF delivery_requests DEFAULT",
    """
    DO $$ BEGIN
        ALTER TABLE delivery_requests ALTER COLUMN request SET COMPRESSION lz4;
    EXCEPTION WHEN feature_not_supported THEN NULL; -- a server built without lz4 keeps its own method
    END $$
    """,
    """
    CREATE TABLE idempotent_answers (
        workspace_id INTEGER NOT NULL,
        scope TEXT COLLATE "C" NOT NULL,
        key_hash BYTEA NOT NULL,
        request_hash BYTEA NOT NULL,
        answer JSONB NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, scope, key_hash)
    )
    """,
    "CREATE INDEX idempotent_answers_by_end ON idempotent_answers (expires_at)",
    """
    CREATE TABLE broadcast_triggers (
        workspace_id INTEGER NOT NULL,
        broadcast_id INTEGER NOT NULL,
        trigger_no INTEGER NOT NULL,
        state TEXT COLLATE "C" NOT NULL,
        paused BOOLEAN NOT NULL,
        accepted BOOLEAN NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        processed_at TIMESTAMP WITH TIME ZONE,
        ended_at TIMESTAMP WITH TIME ZONE,
        audience JSONB NOT NULL,
        data JSONB NOT NULL,
        recipients_count INTEGER,
        position INTEGER NOT NULL,
        progress JSONB NOT NULL,
        data_bytes BIGINT,
        error_count INTEGER NOT NULL,
        send_rate JSONB,
        rate_since TIMESTAMP WITH TIME ZONE,
        rate_sent INTEGER NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (workspace_id, broadcast_id, trigger_no)
    )
    """,
    """
    CREATE INDEX broadcast_triggers_open ON broadcast_triggers (workspace_id, broadcast_id, trigger_no)
    WHERE state IN ('queued', 'processing', 'sending')
    """,
    """
    CREATE TABLE broadcast_claims (
        workspace_id INTEGER NOT NULL,
        broadcast_id INTEGER NOT NULL,
        trigger_no INTEGER NOT NULL,
        owner TEXT COLLATE "C" NOT NULL,
        position INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, broadcast_id, trigger_no)
    )
    """,
    """
    CREATE TABLE broadcast_recipients (
        workspace_id INTEGER NOT NULL,
        broadcast_id INTEGER NOT NULL,
        trigger_no INTEGER NOT NULL,
        position INTEGER NOT NULL,
        person_id BIGINT NOT NULL,
        data JSONB,
        PRIMARY KEY (workspace_id, broadcast_id, trigger_no, position)
    )
    """,
    "CREATE INDEX broadcast_recipients_by_person ON broadcast_recipients (workspace_id, person_id)",
    """
    CREATE TABLE broadcast_errors (
        workspace_id INTEGER NOT NULL,
        broadcast_id INTEGER NOT NULL,
        trigger_no INTEGER NOT NULL,
        position INTEGER NOT NULL,
        message TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (workspace_id, broadcast_id, trigger_no, position)
    )
    """,
    """
    CREATE TABLE content_ids (
        workspace_id INTEGER NOT NULL,
        owner TEXT COLLATE "C" NOT NULL,
        owner_id INTEGER NOT NULL,
        language TEXT COLLATE "C" NOT NULL,
        content_id INTEGER NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, owner, owner_id, language)
    )
    """,
    "CREATE UNIQUE INDEX content_ids_by_number ON content_ids (workspace_id, content_id)",
    """
    CREATE TABLE domain_checks (
        workspace_id INTEGER NOT NULL,
        definition_id INTEGER NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        records JSONB NOT NULL,
        checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, definition_id)
    )
    """,
    """
    CREATE TABLE suppressed_addresses (
        workspace_id INTEGER NOT NULL,
        email_key TEXT COLLATE "C" NOT NULL,
        category TEXT COLLATE "C" NOT NULL,
        domain TEXT COLLATE "C" NOT NULL,
        email TEXT COLLATE "C" NOT NULL,
        reason TEXT COLLATE "C" NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        delivery_id TEXT COLLATE "C",
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (workspace_id, email_key, category, domain)
    )
    """,
    "CREATE INDEX suppressed_addresses_by_category ON suppressed_addresses (workspace_id, category, created_at)",
    """
    CREATE TABLE provider_turns (
        workspace_id INTEGER NOT NULL,
        provider TEXT COLLATE "C" NOT NULL,
        failures INTEGER NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (workspace_id, provider)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
