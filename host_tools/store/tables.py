"""The tables, once, for SQLite and PostgreSQL. Times are ms since 1970, UTC.

What repeats in each event (device, gesture, model) is a number from a table of names. An
event's place among those of its device is (boot, seq), which is also what makes it unique.
Migrations are in migrations/; a test compares them with this file.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

METADATA = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(column_0_label)s",
                                       "uq": "uq_%(table_name)s_%(column_0_name)s",
                                       "fk": "fk_%(table_name)s_%(column_0_name)s"})  # fmt: skip

# Upper bounds, ms; the class behind the last one has no bound.
LATENCY_CLASSES_MS = (5, 10, 20, 50, 100, 200, 500, 1000, 5000, 60_000)
LATENCY_COLUMNS = tuple(f"latency_{i}" for i in range(len(LATENCY_CLASSES_MS) + 1))
# Of ten percent each; 100 counts to the last.
CONFIDENCE_COLUMNS = tuple(f"confidence_{i}" for i in range(10))


def _key(name: str, kind: type = Integer) -> Column:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _count(name: str) -> Column:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _numbered(name: str) -> Table:
    return Table(name, METADATA, Column("id", Integer, primary_key=True),
                 Column("name", Text, nullable=False, unique=True))  # fmt: skip


GESTURE = _numbered("gesture")
MODEL = _numbered("model")

DEVICE = Table(
    "device", METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("online", Boolean),  # null: it never said
    Column("online_ms", BigInteger),  # since when
    Column("state", Text),  # the last one, as JSON
    Column("state_ms", BigInteger),
    Column("diag", Text),
    Column("diag_ms", BigInteger),
)  # fmt: skip

# delay_ms: from the event's time until it was received. timed: whether the device knew the time;
# if not, at_ms is that of arrival less latency_ms.
EVENT = Table(
    "event", METADATA,
    _key("device_id"),
    _key("boot", BigInteger),
    _key("seq"),
    Column("at_ms", BigInteger, nullable=False),
    Column("delay_ms", BigInteger, nullable=False),
    Column("t_ms", BigInteger, nullable=False),
    Column("latency_ms", BigInteger),
    Column("gesture_id", Integer, nullable=False),
    Column("model_id", Integer, nullable=False),
    Column("confidence", SmallInteger, nullable=False),
    Column("label_confidence", SmallInteger),
    Column("timed", Boolean, nullable=False),
    # With the gesture, to look for a rare one without a look at the events themselves.
    Index("ix_event_at_gesture", "at_ms", "gesture_id"),
    Index("ix_event_device_at", "device_id", "at_ms"),
    sqlite_with_rowid=False,
)  # fmt: skip

# What a person said of an event.
VERDICT = Table(
    "verdict", METADATA,
    _key("device_id"), _key("boot", BigInteger), _key("seq"),
    Column("false_alarm", Boolean, nullable=False),
    Column("said_ms", BigInteger, nullable=False),
    Column("said_by", Text, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip

# Each start of a device: seq_max + 1 - events did not arrive.
BOOT = Table(
    "boot", METADATA,
    _key("device_id"), _key("boot", BigInteger),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("seq_max", Integer, nullable=False),
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip

# Roll-ups, kept up in the transaction that stores the events.
FLEET_HOUR = Table(
    "fleet_hour", METADATA,
    _key("hour_ms", BigInteger), _key("gesture_id"), _key("model_id"),
    _count("events"), _count("false_alarms"), _count("confidence_sum"),
    *map(_count, CONFIDENCE_COLUMNS), *map(_count, LATENCY_COLUMNS),
    sqlite_with_rowid=False,
)  # fmt: skip
DEVICE_DAY = Table(
    "device_day", METADATA,
    _key("day_ms", BigInteger), _key("device_id"), _key("gesture_id"),
    _count("events"), _count("false_alarms"), _count("confidence_sum"),
    sqlite_with_rowid=False,
)  # fmt: skip

PRESENCE = Table(
    "presence", METADATA,
    _key("device_id"), _key("at_ms", BigInteger),
    Column("online", Boolean, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
STATE = Table(
    "state", METADATA,
    _key("device_id"), _key("boot", BigInteger), _key("digest", Text),
    Column("at_ms", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
)  # fmt: skip
DIAG_COUNTERS = ("uptime_ms", "heap_free", "samples", "samples_lost", "events_posted",
                 "events_dropped", "link_drops", "lag_ms_p99", "rssi_dbm",
                 "ring_overwritten")  # fmt: skip
DIAG = Table(
    "diag", METADATA,
    _key("device_id"), _key("boot", BigInteger), _key("uptime_ms", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    *(Column(name, BigInteger) for name in DIAG_COUNTERS if name != "uptime_ms"),
    Index("ix_diag_at_ms", "at_ms"),
    sqlite_with_rowid=False,
)  # fmt: skip

QUARANTINE = Table(
    "quarantine", METADATA,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # its beginning
)  # fmt: skip
QUARANTINE_COUNT = Table(
    "quarantine_count", METADATA,
    _key("reason", Text),
    _count("messages"),
    Column("last_ms", BigInteger, nullable=False),
)  # fmt: skip

ACTION = Table(
    "action", METADATA,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("device_id", Integer, ForeignKey("device.id"), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("outcome", Text, nullable=False),  # done, failed, dropped
    Column("detail", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
)  # fmt: skip

COLLECTOR = Table(
    "collector", METADATA,
    _key("name", Text),
    Column("at_ms", BigInteger, nullable=False),
    _count("stored"), _count("repeated"), _count("quarantined"),
    Column("stored_ms_p95", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
)  # fmt: skip

# What is rolled out, and how far it came; the keys that sign it are never here.
MODEL_FILE = Table(
    "model_file", METADATA,
    _key("name", Text),  # the model's id
    Column("at_ms", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)  # fmt: skip
ROLLOUT = Table(
    "rollout", METADATA,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("person", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("condition", Text, nullable=False),  # running, paused, stopped, done, aborted
    Column("reason", Text, nullable=False),
    Column("stages", Text, nullable=False),  # JSON: so many devices by the end of each stage
    Column("stage", Integer, nullable=False),
    Column("rules", Text, nullable=False),  # JSON
    Column("runner", Text, nullable=False),  # who carries it out
    Column("runner_ms", BigInteger, nullable=False),  # its last sign of life
)  # fmt: skip
ROLLOUT_DEVICE = Table(
    "rollout_device", METADATA,
    _key("rollout_id"), _key("device_id"),
    Column("place", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),  # when the model was committed
    Column("at_ms", BigInteger, nullable=False),  # of the last change of step
    Column("tries", Integer, nullable=False),
    Column("excused", Boolean, nullable=False),  # a person has gone on in spite of it
    Column("old_model", Text, nullable=False),
    Column("old_boot", BigInteger, nullable=False),
    Column("boot", BigInteger, nullable=False),  # the first one with the new model; 0: none yet
    Column("detail", Text, nullable=False),
    Index("ix_rollout_device_device_id", "device_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

# The samples of events that a person called false alarms. condition: wanted, kept, or gone.
EVENT_WINDOW = Table(
    "event_window", METADATA,
    _key("device_id"), _key("boot", BigInteger), _key("seq"),
    Column("at_ms", BigInteger, nullable=False),
    Column("condition", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("period_us", Integer),
    Column("accel_lsb_per_g", Integer),
    Column("gyro_lsb_per_10_dps", Integer),
    Column("samples", LargeBinary),  # int16, little endian, six to a frame
)  # fmt: skip

PERSON = Table(
    "person", METADATA,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("sessions", Integer, nullable=False, server_default="0"),  # grows: ends old sessions
)  # fmt: skip
