"""`beckon data fetch`: a public set by its name."""

import tempfile
from pathlib import Path

from host_tools.cli.progress import progress, waiting
from host_tools.errors import BeckonError
from host_tools.wording import counted

_TIMEOUT_S = 30
_CHUNK = 1 << 18


def add_parser(actions) -> None:
    from host_tools.dataset.public_sets import PUBLIC_SETS

    text = "bring a public set by its name, with licence, size and hash"
    sub = actions.add_parser("fetch", help=text, description=text)
    sub.add_argument("name", nargs="?", choices=sorted(PUBLIC_SETS), metavar="NAME",
                     help="which; without it, all are listed")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="folder to make")
    sub.add_argument("--from", dest="source", type=Path, metavar="FILE",
                     help="the file as it is published, if you have it already")
    sub.set_defaults(perform=fetch)


def fetch(args) -> int:
    from host_tools.dataset.convert import write_folder
    from host_tools.dataset.public_sets import PUBLIC_SETS, sha256_of

    if not args.name:
        for s in PUBLIC_SETS.values():
            print(f"{s.name}: {s.what}; about {s.size_mb} MB, {s.licence} ({s.source})")
        return 0
    wanted = PUBLIC_SETS[args.name]
    if not args.out:
        raise BeckonError("name the folder to make with --out", 2)
    if args.out.exists():
        raise BeckonError(f"{args.out}: exists already; name another folder or delete it")
    if args.source and not args.source.is_file():
        raise BeckonError(f"--from {args.source}: no such file", 2)
    with tempfile.TemporaryDirectory(prefix="beckon-fetch-") as work:
        path = args.source or Path(work) / f"{wanted.name}.zip"
        if not args.source:
            _download(wanted, path)
        found = sha256_of(path)
        if wanted.sha256 and found != wanted.sha256:
            raise BeckonError(f"{path.name}: sha256 {found} is not that of {wanted.name} "
                              f"({wanted.sha256}); fetch it again")
        with waiting("reading"):
            data = wanted.read(path)
        with waiting("writing"):
            write_folder(data, args.out)
    hours = data.seconds / 3600
    recordings = counted(len(data.recordings), "recording")
    print(f"{args.out}: {recordings}, {hours:.1f} h, {len(data.subjects)} "
          f"people, labels {', '.join(data.labels)}")
    print(f"licence {wanted.licence}: {wanted.source}")
    print(f"sha256 {found}" + ("" if wanted.sha256 else " (its source publishes none to compare "
                               "with: keep this one)"))  # fmt: skip
    return 0


def _download(wanted, path: Path) -> None:
    """Raises BeckonError, with what to do without internet."""
    import requests

    cure = f"download {wanted.url} elsewhere and name the file with --from"
    try:
        with requests.get(wanted.url, stream=True, timeout=_TIMEOUT_S) as answer:
            answer.raise_for_status()
            total = int(answer.headers.get("Content-Length") or 0)
            with progress("fetching", total=total or wanted.size_mb << 20) as step:
                with open(path, "wb") as file:
                    for chunk in answer.iter_content(_CHUNK):
                        file.write(chunk)
                        step(f"{file.tell() >> 20} MB", len(chunk))
            if total and path.stat().st_size != total:
                raise BeckonError(f"{wanted.name}: {path.stat().st_size} of {total} bytes came; "
                                  "try again")
    except requests.HTTPError as error:
        raise BeckonError(f"{wanted.name}: its server refused it ({error}); "
                          f"{cure}") from None
    except requests.RequestException:
        raise BeckonError(f"{wanted.name}: no connection to {wanted.url.split('/')[2]}; "
                          f"{cure}") from None


