"""Programs out of Debian or Ubuntu packages, without installing and without root.

apt's own tools download a package and the libraries it needs into a private
folder, with a private copy of apt's state; the program is then started through
that folder's own loader, so it runs even when its C library is newer than the
machine's. Mirror, proxy and keys are those the machine is set up with.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cache_folder

# The first release of each distribution with a MicroPython that is new enough.
NEWER_SUITE = {"Debian": "trixie", "Ubuntu": "noble"}
_KEYRINGS = {
    "Debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "Ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
_TOOLS = ("apt-get", "apt-cache", "dpkg", "dpkg-deb")
_UPDATE_TIMEOUT_S = 300
# The files of libc6 that belong to one loader.
C_LIBRARY = (
    "ld-linux*.so.*", "libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "libpthread.so.0",
    "librt.so.1", "libresolv.so.2", "libnss_*.so.2", "libutil.so.1", "libanl.so.1",
    "libthread_db.so.1",
)


class Apt:
    """A private apt: its own lists and cache in `folder`, nothing else of the machine touched.

    suite: None for the machine's own sources; a name for that suite of the archives
    which the machine uses. architecture: of the packages, Debian's name; None for the
    machine's own.
    """

    def __init__(
        self, folder: Path, suite: str | None = None, architecture: str | None = None
    ):
        missing = [tool for tool in _TOOLS if not shutil.which(tool)]
        if missing:
            raise BeckonError(f"{missing[0]} is not here")
        self._folder = folder.resolve()
        for name in ("lists/partial", "archives/partial", "empty"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._options = [
            *("-o", f"Dir::State::lists={self._folder}/lists"),
            *("-o", f"Dir::Cache={self._folder}"),
            *("-o", f"Dir::Cache::archives={self._folder}/archives"),
            *("-o", "Dir::State::status=/dev/null"),
            *("-o", "Acquire::Languages=none"),
            *("-o", "Acquire::Retries=3"),
        ]
        if architecture:
            self._options += ["-o", f"APT::Architecture={architecture}"]
            self._options += ["-o", f"APT::Architectures={architecture}"]
        is_root = sys.platform != "win32" and os.geteuid() == 0
        if is_root:  # apt would drop to a user that cannot write here
            self._options += ["-o", "APT::Sandbox::User=root"]
        if suite is not None:
            self._use(suite)
        self._update()

    def _use(self, suite: str) -> None:
        lines = sorted(set(archives(self._index_targets(), suite)))
        if not lines:  # this machine never ran `apt-get update`
            self._update()
            lines = sorted(set(archives(self._index_targets(private=True), suite)))
        if not lines:
            raise BeckonError("no Debian or Ubuntu archive among the machine's package sources")
        (self._folder / "sources.list").write_text("".join(lines))
        self._options += [
            *("-o", f"Dir::Etc::sourcelist={self._folder}/sources.list"),
            *("-o", "Dir::Etc::sourceparts=-"),
        ]

    def _index_targets(self, private: bool = False) -> str:
        form = "$(REPO_URI)|$(RELEASE)|$(ORIGIN)|$(LABEL)"
        options = self._options if private else []
        command = ["apt-get", *options, "indextargets", "--format", form, "Created-By: Packages"]
        return _run(command, self._folder).stdout

    def _update(self) -> None:
        # A failure is not fatal: one broken source of many must not stop us. What
        # decides is whether the package is there.
        _run(["apt-get", *self._options, "update"], self._folder)

    def version(self, package: str) -> str | None:
        """The version that would be fetched, None if the archives have none."""
        done = _run(["apt-cache", *self._options, "policy", package], self._folder)
        for line in done.stdout.splitlines():
            if line.strip().startswith("Candidate:"):
                version = line.split(":", 1)[1].strip()
                return None if version == "(none)" else version
        return None

    def unpack(self, into: Path, package: str, *more: str) -> None:
        """Put the files of the packages and of their libraries into the folder `into`."""
        if self.version(package) is None:
            raise BeckonError(f"the package {package} cannot be fetched: no connection, or the "
                              f"archive has none (details: {_log()})")
        names = [package, *more, *self._libraries([package, *more])]
        done = _run(["apt-get", *self._options, "download", *names], self._folder / "archives")
        debs = sorted((self._folder / "archives").glob("*.deb"))
        if done.returncode or not debs:
            raise BeckonError(f"the package {package} cannot be fetched (details: {_log()})")
        for deb in debs:
            done = _run(["dpkg-deb", "-x", str(deb), str(into)], self._folder)
            if done.returncode:
                raise BeckonError(f"cannot unpack {deb.name} (details: {_log()})")
            deb.unlink()

    def _libraries(self, packages: list[str]) -> list[str]:
        """The libraries that the packages need, through and through.

        Only names in lib* are followed: the rest of the closure (debconf, adduser,
        perl, ...) serves installing, not running.
        """
        kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        switches = ["--recurse", *(f"--no-{kind}" for kind in kinds)]
        done = _run(["apt-cache", *self._options, "depends", *switches, *packages],
                    self._folder)
        needs = dependencies(done.stdout)
        seen: list[str] = []
        todo = list(packages)
        while todo:
            for name in needs.get(todo.pop(), []):
                if name.startswith("lib") and name not in [*seen, *packages]:
                    seen.append(name)
                    todo.append(name)
        return seen


def dependencies(text: str) -> dict[str, list[str]]:
    """What each package needs, out of the text of `apt-cache depends --recurse`."""
    needs: dict[str, list[str]] = {}
    package = ""
    for line in text.splitlines():
        if not line.startswith((" ", "|")):
            package = line.strip()
            continue
        key, _, name = line.strip().lstrip("|").partition(": ")
        if key in ("Depends", "PreDepends"):
            needs.setdefault(package, []).append(name)
    return needs


def archives(targets: str, suite: str) -> list[str]:
    """sources.list lines for `suite` of each main archive among apt's index targets."""
    lines = []
    for target in targets.splitlines():
        uri, release, origin, label = target.split("|")
        if NEWER_SUITE.get(origin) != suite or label != origin:
            continue  # another origin, or its security archive, which has other suites
        if "-" in release:
            continue  # -updates, -security, -backports: same archive as the plain suite
        keyring = _KEYRINGS[origin]
        signed = f"[signed-by={keyring}] " if os.path.exists(keyring) else ""
        components = "main universe" if origin == "Ubuntu" else "main"
        lines.append(f"deb {signed}{uri} {suite} {components}\n")
    return lines


def distribution() -> str | None:
    """"Debian" or "Ubuntu" (or what derives from them); None on other systems."""
    if any(not shutil.which(tool) for tool in _TOOLS):
        return None
    try:
        return distribution_of(Path("/etc/os-release").read_text(encoding="utf-8"))
    except OSError:
        return None


def distribution_of(os_release: str) -> str | None:
    """The same from the text of /etc/os-release."""
    values = re.findall(r'^(?:ID|ID_LIKE)="?([^"\n]*)', os_release, re.MULTILINE)
    like = " ".join(values).split()
    return "Ubuntu" if "ubuntu" in like else "Debian" if "debian" in like else None


def command_in(root: Path, program: str) -> list[str]:
    """The arguments that start `program` (a path in root) with root's own libraries."""
    loaders = [*root.glob("lib/*/ld-linux*.so.*"), *root.glob("usr/lib/*/ld-linux*.so.*")]
    if not loaders:
        raise BeckonError(f"no loader in {root}: remove that folder and try again")
    path = library_path(root, loaders[0].parent.name)
    return [str(loaders[0]), "--library-path", path, str(root / program)]


def library_path(root: Path, triplet: str) -> str:
    """Where a loader finds root's libraries, as in LD_LIBRARY_PATH.

    Private ones of a package lie in a folder below (libpulse0's in pulseaudio/), which
    their users know by an absolute path only, and that leads out of root.
    """
    folders = [root / part / triplet for part in ("usr/lib", "lib")]
    for folder in tuple(folders):
        folders += sorted({p.parent for p in folder.glob("*/lib*.so*")})
    return ":".join(map(str, folders))


def unpacked(
    work: Path, package: str, suite: str | None = None, architecture: str | None = None
) -> None:
    """Fill `work`/root with the package and its libraries."""
    with doing(f"fetching {package} (a Debian package, into .cache; nothing is installed)"):
        apt = Apt(work / "apt", suite, architecture)
        apt.unpack(work / "root", package)
        shutil.rmtree(work / "apt")
        shutil.rmtree(work / "root" / "usr" / "share", ignore_errors=True)  # manuals


def _log() -> Path:
    """What apt said in full; the messages leave it out, being long and full of addresses."""
    return cache_folder() / "fetch.log"


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_UPDATE_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except subprocess.TimeoutExpired:
        raise BeckonError(f"{command[0]} took longer than {_UPDATE_TIMEOUT_S} s: try again when "
                          "the connection is better") from None
    with open(_log(), "a", encoding="utf-8") as log:
        log.write(f"{' '.join(command)}\n{done.stdout}{done.stderr}exit status {done.returncode}\n")
    return done
