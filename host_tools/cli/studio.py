"""Record, label, train and watch in your browser, on this computer alone.

PROJECT-FOLDER holds recordings/, labels.csv and models/, and is made if missing. Every
command that takes a DATASET also takes this folder. Without one, a page with your projects
opens, and a sample to try. Nothing leaves your computer.
The printed address is good for one browser. Press Enter for another one.
With --phone a phone can be the sensor: its browser opens one page of this computer.

examples:
  beckon studio
  beckon studio my-gestures
  beckon studio data/demo --no-browser
  beckon studio my-gestures --labels labels-anna.csv
  beckon studio my-gestures --phone
"""

import contextlib
import sys
import tempfile
import threading
from pathlib import Path

from host_tools.cli.page_port import page_port
from host_tools.cli.phone_options import add_phone_arguments, phone_server
from host_tools.errors import BeckonError

EXTRA = "studio"  # of pyproject.toml


def add_arguments(parser):
    parser.add_argument("project", nargs="?", metavar="PROJECT-FOLDER",
                        help="folder of the project (default: choose one on the start page)")
    parser.add_argument("--labels", default="labels.csv", metavar="FILE",
                        help="read and write labels in this file of the folder, so that two people "
                             "can label the same recordings (default: %(default)s)")
    parser.add_argument("--port", type=page_port, metavar="N",
                        help="port on 127.0.0.1; 0: any free port (default: 8737, or any if that "
                             "one is taken)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--phone", action="store_true",
                        help="open a page for a phone to the local network; asks first")
    add_phone_arguments(parser, "with --phone: ")


def run(args):
    from host_tools.studio.app import kept_secrets, listen, open_browser, serve
    from host_tools.studio.frame.access import redirect_file
    from host_tools.studio.frame.project import Project

    if args.project is None and args.labels != "labels.csv":
        raise BeckonError("--labels needs the folder of the project, too", 2)
    project = Project.open(args.project, args.labels) if args.project is not None else None

    files = []

    def ready(new_address):
        print(new_address(), flush=True)
        opened = f"{project.folder.name} is open" if project else "Studio is open"
        print(f"{opened}; Ctrl-C ends", file=sys.stderr)
        if sys.stdin.isatty():
            print("Enter: an address for another browser", file=sys.stderr)
            threading.Thread(target=_more, args=(new_address,), daemon=True).start()
        if not args.no_browser:
            files.append(redirect_file(project.folder if project else Path(tempfile.gettempdir()),
                                       new_address(remove)))
            open_browser(files[0].as_uri())

    def remove():
        for file in files:
            file.unlink(missing_ok=True)

    with contextlib.ExitStack() as stack:
        phone = stack.enter_context(phone_server(args)) if args.phone else None
        at, kept = project.folder if project else Path.cwd(), kept_secrets()
        coming_back = kept.of(at)
        listener = stack.enter_context(listen(args.port, coming_back.port))
        coming_back.port = listener.getsockname()[1]
        kept.keep(at, coming_back)
        try:
            serve(project, listener, ready, phone=phone, coming_back=coming_back)
        finally:
            remove()
    return 0


def _more(new_address):
    for _ in sys.stdin:
        print(new_address(), flush=True)
