"""Messages that could not be stored, counted, and kept for a look within a bound."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from host_tools.store.bulk import insert
from host_tools.store.messages import Reject
from host_tools.store.tables import QUARANTINE, QUARANTINE_COUNT

KEPT_BYTES = 2048  # of each payload


def keep_aside(connection: Connection, rejects: Sequence[Reject], bound: int) -> None:
    """Count all; keep the last `bound` of them in the table."""
    if not rejects:
        return
    counts = Counter(reject.reason for reject in rejects)
    last_ms = max(reject.received_ms for reject in rejects)
    insert(connection, QUARANTINE_COUNT, ("reason", "messages", "last_ms"),
           [(reason, counts[reason], last_ms) for reason in sorted(counts)],
           "(reason) DO UPDATE SET messages = quarantine_count.messages + excluded.messages, "
           "last_ms = excluded.last_ms")  # fmt: skip
    insert(connection, QUARANTINE, ("at_ms", "reason", "detail", "topic", "size", "payload"),
           [(r.received_ms, r.reason, _clean(r.detail), _clean(r.topic), r.size,
             r.payload[:KEPT_BYTES]) for r in rejects[-bound:]])  # fmt: skip
    newest = connection.execute(select(func.max(QUARANTINE.c.id))).scalar() or 0
    connection.execute(delete(QUARANTINE).where(QUARANTINE.c.id <= newest - bound))


def _clean(text: str) -> str:
    """What any database takes as text, and no more than a page shows."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")[:300]
