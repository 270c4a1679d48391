"""Back up the store of beckon collect, restore or describe it, or export false alarms.

A backup can be made while collectors write. Restoring goes into a new file or an empty database;
nothing is overwritten.

examples:
  beckon store info
  beckon store backup backups --keep 14
  beckon store negatives my-gestures
  beckon store restore backups/beckon-20261127T020000Z.db --store new.db
"""

import time
from pathlib import Path

from host_tools.cli.store_options import add_store_argument, store_of
from host_tools.wording import counted

EXTRA = "collect"  # of pyproject.toml


def add_arguments(parser):
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def one(name, text):
        part = what.add_parser(name, help=text, description=text, allow_abbrev=False,
                               formatter_class=parser.formatter_class)  # fmt: skip
        add_store_argument(part)
        return part

    one("info", "what is in the store")
    part = one("backup", "copy the store into a new file of a folder")
    part.add_argument("folder", type=Path, metavar="FOLDER")
    part.add_argument("--keep", type=int, default=0, metavar="N",
                      help="remove all but the newest N backups; 0: keep all")
    part = one("negatives", "write the samples of false alarms as recordings labelled none")
    part.add_argument("folder", type=Path, metavar="FOLDER", help="a data-set folder, new or not")
    part = one("restore", "make a new store from a backup")
    part.add_argument("file", type=Path, metavar="FILE")


def run(args):
    from host_tools.store.backup import backup, restore
    from host_tools.store.database import default_store, open_store

    if args.what == "restore":
        store = args.store or default_store()
        restore(args.file, store)
        open_store(store).dispose()  # brings an old backup up to date
        print(f"{args.file} -> {store}")
        return 0
    engine = store_of(args, migrate=False)
    if args.what == "backup":
        from host_tools.cli.progress import waiting

        with waiting("copying the store"):
            made = backup(engine, args.folder, max(0, args.keep))
        print(f"{made}, {made.stat().st_size / 1e6:.1f} MB")
    elif args.what == "negatives":
        _negatives(engine, args.folder)
    else:
        _info(engine)
    engine.dispose()
    return 0


def _info(engine):
    from host_tools.store import queries
    from host_tools.store.database import reading, shown

    now_ms = time.time_ns() // 10**6
    with reading(engine).connect() as connection:
        found = queries.totals(connection, queries.Filter(0, now_ms + 86_400_000))
        print(f"{shown(engine)}: {counted(found.events, 'event')}, of which {found.false_alarms} "
              f"are marked as false alarms; {counted(found.devices, 'device')}, {found.offline} "
              "offline")  # fmt: skip
        for name, count in queries.models(connection):
            print(f"  model {name or '(none)'}: {counted(count, 'device')}")
        for row in queries.collectors(connection):
            print(f"  collector {row.name}: {row.stored} stored, 95 % within {row.stored_ms_p95} "
                  f"ms, last sign of life {(now_ms - row.at_ms) // 1000} s ago")  # fmt: skip
        aside = 0
        for reason, messages, _ in queries.quarantine_counts(connection):
            print(f"  kept aside, {reason}: {counted(messages, 'message')}")
            aside += messages
        if aside:
            kept = queries.quarantine_size(connection)
            gone = "; older ones gave way" if kept < aside else ""
            print(f"  {counted(kept, 'message')} kept aside can be looked at{gone}: see the page "
                  "Collecting of the dashboard")  # fmt: skip


def _negatives(engine, folder):
    from host_tools.rollout.event_windows import export
    from host_tools.store.database import reading
    from host_tools.store.windows import counts

    new, before = export(engine, folder)
    with reading(engine).connect() as connection:
        found = counts(connection)
    print(f"{folder}: {counted(new, 'recording')} written, {before} there already, "
          f"{found.get('wanted', 0)} wanted from devices, {found.get('gone', 0)} gone")
