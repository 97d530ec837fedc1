"""${message}

It runs while the code before it runs, with the lock and statement timeouts of `migrations/running.py`; what it may do is
in docs/upgrading.md. An index on a table that exists is a migration of its own: `migrations.indexes.create_index`.
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
