"""Rare gestures are found in the index alone."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_event_at_gesture", "event", ["at_ms", "gesture_id"], unique=False)
    op.drop_index("ix_event_at_ms", table_name="event")
