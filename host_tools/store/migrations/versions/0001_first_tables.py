"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:

    op.create_table(
        "boot",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("seq_max", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "boot", name=op.f("pk_boot")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "collector",
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("repeated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quarantined", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stored_ms_p95", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_collector")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("online_ms", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("state_ms", sa.BigInteger(), nullable=True),
        sa.Column("diag", sa.Text(), nullable=True),
        sa.Column("diag_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("name", name=op.f("uq_device_name")),
    )
    op.create_table(
        "device_day",
        sa.Column("day_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("gesture_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("false_alarms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day_ms", "device_id", "gesture_id", name=op.f("pk_device_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "diag",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uptime_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("heap_free", sa.BigInteger(), nullable=True),
        sa.Column("samples", sa.BigInteger(), nullable=True),
        sa.Column("samples_lost", sa.BigInteger(), nullable=True),
        sa.Column("events_posted", sa.BigInteger(), nullable=True),
        sa.Column("events_dropped", sa.BigInteger(), nullable=True),
        sa.Column("link_drops", sa.BigInteger(), nullable=True),
        sa.Column("lag_ms_p99", sa.BigInteger(), nullable=True),
        sa.Column("rssi_dbm", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device_id", "boot", "uptime_ms", name=op.f("pk_diag")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_diag_at_ms", "diag", ["at_ms"], unique=False)
    op.create_table(
        "event",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("delay_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), nullable=False),
        sa.Column("latency_ms", sa.BigInteger(), nullable=True),
        sa.Column("gesture_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.SmallInteger(), nullable=False),
        sa.Column("label_confidence", sa.SmallInteger(), nullable=True),
        sa.Column("timed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "boot", "seq", name=op.f("pk_event")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_at_ms", "event", ["at_ms"], unique=False)
    op.create_index("ix_event_device_at", "event", ["device_id", "at_ms"], unique=False)
    op.create_table(
        "fleet_hour",
        sa.Column("hour_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gesture_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("false_alarms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_0", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_1", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_2", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_3", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_4", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_5", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_6", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_7", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_8", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confidence_9", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_0", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_1", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_2", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_3", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_4", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_5", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_6", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_7", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_8", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_9", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_10", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hour_ms", "gesture_id", "model_id", name=op.f("pk_fleet_hour")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gesture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gesture")),
        sa.UniqueConstraint("name", name=op.f("uq_gesture_name")),
    )
    op.create_table(
        "model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("name", name=op.f("uq_model_name")),
    )
    op.create_table(
        "person",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("sessions", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_person")),
    )
    op.create_table(
        "presence",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "at_ms", name=op.f("pk_presence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "quarantine_count",
        sa.Column("reason", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("messages", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_quarantine_count")),
    )
    op.create_table(
        "state",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "boot", "digest", name=op.f("pk_state")),
    )
    op.create_table(
        "verdict",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("false_alarm", sa.Boolean(), nullable=False),
        sa.Column("said_ms", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "boot", "seq", name=op.f("pk_verdict")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_action_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    op.create_index(op.f("ix_action_at_ms"), "action", ["at_ms"], unique=False)

