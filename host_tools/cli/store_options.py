"""The option by which commands name the store, and the store that it gives."""

import sys


def add_store_argument(parser):
    parser.add_argument("--store", default="", metavar="FILE|URL",
                        help="an SQLite file, or postgresql://user@host/database; by default "
                             "$BECKON_STORE, else beckon-store.db in this folder")


def store_of(args, *, migrate=True):
    """The open store of args. Raises BeckonError."""
    from host_tools.store.database import default_store, open_store, store_url

    if args.store and store_url(args.store).password:
        print("warning: other users of this computer can read the password of --store in the list "
              "of processes; put the address into BECKON_STORE", file=sys.stderr)
    return open_store(args.store or default_store(), migrate=migrate)
