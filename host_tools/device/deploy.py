"""Bring a board's files up to date: copy what differs, verify, restart, see it live.

New files are copied to a folder of their own on the board and take their places only
when all are there and sound, main.py last. Whatever ends a deployment in between, the
board starts with what it had, or waits at its REPL; the next deployment goes on with
what was copied already.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host_tools.device.console import Console, Unplugged
from host_tools.device.image import image_files
from host_tools.device.mpremote import mpremote, remove_line
from host_tools.device.ports import wait_for_port
from host_tools.errors import BeckonError, Sentence
from host_tools.version import version

STAGE = ".beckon-new"
MANIFEST = "deployed.json"
OLDEST = (1, 24)
_ON_BOARD = Path(__file__).parent / "on_board"
# sys.implementation._mpy: bits 10 and up, see MicroPython's reference/mpyfiles.
_ARCHS = (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp",
          "xtensa", "xtensawin", "rv32imc", "rv64imc")  # fmt: skip
_LITTLEFS_SPARE = 4  # blocks that renames and folders may need in passing
_SIGN_TIMEOUT_S = 45.0
_SENSOR_TIMEOUT_S = 10.0  # after the first sign; the firmware knows in 6 s
_NO_SENSOR = "no sensor: "
_ACCESS_POINT = "access point: "
# What a trial or a crash of the old files left; it says nothing about the new ones.
_LEFT_OVER = {"config.json": ("config.json.try", "config.json.old"),
              "model.mlp": ("model.mlp.try", "model.mlp.old", "model.mlp.new")}  # fmt: skip


@dataclass(frozen=True)
class Survey:
    """What a board is and has. files: path -> SHA-256 in hexadecimal digits; folders: those
    of the folders looked for that are there. chip: its id in hexadecimal digits. ap_key: the
    password of its access point, or ""."""

    files: dict[str, str]
    folders: list[str]
    version: tuple[int, ...]
    machine: str
    platform: str
    mpy: int
    block: int
    free: int
    size: int
    heap_free: int
    chip: str = ""
    ap_key: str = ""

    @property
    def arch(self) -> str | None:
        """mpy-cross's name for the board's processor; None if it runs no native code."""
        index = self.mpy >> 10
        return _ARCHS[index] if index < len(_ARCHS) else None

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


@dataclass
class Report:
    """What a deployment did. sign: the board's first healthy line, or "". sensor: what it says
    of its sensor, or ""."""

    port: str
    machine: str
    version: str
    copied: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    bytes_copied: int = 0
    sign: str = ""
    sensor: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Plan:
    """put: path -> content that differs. held: main.py's content if it stays as it is; it
    is put aside while other files change."""

    put: dict[str, bytes]
    remove: list[str]
    held: bytes | None


def firmware_files(survey: Survey) -> dict[str, bytes]:
    """The firmware for the board that was surveyed. Raises BeckonError for one too old."""
    if survey.version < OLDEST:
        raise BeckonError("the board has MicroPython {version_text}; {major}.{minor} or later "
                          "is needed: run beckon flash", version_text=survey.version_text,
                          major=OLDEST[0], minor=OLDEST[1])
    return image_files(survey.arch)


def look(port: str, folders: set[str]) -> Survey:
    """Stop the board's program and see what lies in folders ("" is the root)."""
    return _surveyed(port, mpremote(port, _survey_commands(folders)))


def _survey_commands(folders: set[str]) -> list[str]:
    where = sorted(folders | {"", STAGE})
    return ["exec", f"WHERE = {where!r}", "+", "run", str(_ON_BOARD / "list_files.py")]


def _surveyed(port: str, out: str) -> Survey:
    for line in out.splitlines():
        if line.startswith("survey "):
            try:
                survey = json.loads(line[len("survey ") :])
                survey["version"] = tuple(survey["version"])
                return Survey(**survey)
            except (ValueError, TypeError, KeyError):
                break
    raise BeckonError("the board on {port} gave a damaged answer (noise on the line?); try again, "
                      "with a shorter cable if it happens again", port=port)


def plan(survey: Survey, files: Mapping[str, bytes], code: set[str], old_code: set[str]) -> Plan:
    """What must change so that the board has files.

    code: those of files that are firmware. old_code: what an earlier deployment brought.
    """
    put = {path: data for path, data in files.items() if survey.files.get(path) != sha256(data)}
    remove = set(old_code) - set(files)
    for path in code:  # MicroPython takes x.py before x.mpy
        twin = path.removesuffix(".mpy") + ".py" if path.endswith(".mpy") else path[:-3] + ".mpy"
        if path.endswith((".py", ".mpy")) and twin not in files:
            remove.add(twin)
    if put:
        remove.add("crash.txt")
    for path in put:
        remove.update(_LEFT_OVER.get(path, ()))
    remove &= set(survey.files)
    remove.discard("main.py")
    held = None if "main.py" in put else files.get("main.py")
    return Plan(put, sorted(remove), held)


def deploy(
    port: str,
    make_files: Callable[[Survey], Mapping[str, bytes]],
    make_extra: Callable[[Survey], Mapping[str, bytes]] = lambda survey: {},
    *,
    on_step: Callable[[str, int, int], None] | None = None,
    restart: bool = True,
) -> Report:
    """Put the files that make_files and make_extra give for the board on the board.

    make_files: the firmware, main.py among it; what an earlier firmware had besides is
    removed. make_extra: model and settings. on_step: called with (what, done, all) bytes.
    Raises BeckonError; then the board can be deployed to again.
    """
    say = on_step or (lambda what, done, total: None)
    say("looking at the board", 0, 0)
    with Console(port) as console:
        console.catch()
        console.leave()
    first = look(port, {"lib", "lib/umqtt", "drivers"})
    code_files = dict(make_files(first))
    files = {**code_files, **make_extra(first)}
    manifest = json.dumps({"version": version(), "files": sorted(code_files)}).encode()
    files[MANIFEST] = manifest
    folders = {path.rpartition("/")[0] for path in files}
    old_code = _old_code(port, first, manifest)
    folders |= {path.rpartition("/")[0] for path in old_code}
    survey = first if folders <= {"", "lib", "lib/umqtt", "drivers"} else look(port, folders)
    todo = plan(survey, files, set(code_files), old_code)
    report = Report(port, survey.machine, survey.version_text, sorted(todo.put), todo.remove,
                    len(files) - len(todo.put))  # fmt: skip
    if todo.put or todo.remove or STAGE in survey.folders:  # also what a power cut left
        report.bytes_copied = _copy(port, survey, todo, say)
        say("verifying", 0, 0)
        _verify(port, _settle(port, todo, folders), files, todo)
    if restart:
        say("waiting for the first sign of life", 0, 0)
        _wait_for_life(port, report)
    return report


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _old_code(port: str, survey: Survey, manifest: bytes) -> set[str]:
    """The paths that an earlier deployment brought."""
    if MANIFEST not in survey.files or survey.files[MANIFEST] == sha256(manifest):
        return set()
    out = mpremote(port, ["exec", f"print(open({MANIFEST!r}).read())"], resume=True)
    try:
        paths = json.loads(out)["files"]
    except (ValueError, KeyError, TypeError):
        return set()
    return {p for p in paths if isinstance(p, str)} if isinstance(paths, list) else set()


def _staged_name(path: str, data: bytes) -> str:
    return sha256(path.encode() + b"\0" + data)[:16]


def _copy(port: str, survey: Survey, todo: Plan, say) -> int:
    """Copy what is not staged yet into STAGE; returns how many bytes."""
    waiting = {}
    for path, data in todo.put.items():
        name = _staged_name(path, data)
        if survey.files.get(f"{STAGE}/{name}") != sha256(data):
            waiting[name] = data
    total = sum(map(len, waiting.values()))
    blocks = sum(-(-len(data) // survey.block) + 1 for data in waiting.values())
    need = (blocks + _LITTLEFS_SPARE) * survey.block
    if waiting and need > survey.free:
        raise BeckonError("the board on {port} has {free} KiB of flash left, {need} KiB are "
                          "needed; remove files of your own: {remove}", port=port,
                          free=survey.free // 1024, need=need // 1024, remove=remove_line(port))
    if not waiting:
        return 0
    with tempfile.TemporaryDirectory(prefix="beckon-deploy-") as folder:
        for name, data in waiting.items():
            (Path(folder) / name).write_bytes(data)
        begun = [name for name, data in waiting.items() if f"{STAGE}/{name}" in survey.files]
        commands = [] if any(p.startswith(f"{STAGE}/") for p in survey.files) else ["exec", _MKDIR]
        for name in begun:  # what a broken copy left; cp would compare it first
            commands += [*(["+"] if commands else []), "rm", f":{STAGE}/{name}"]
        if commands:
            commands.append("+")
        commands += ["cp", "-f", *[str(Path(folder) / name) for name in waiting], f":{STAGE}/"]
        started: list[int] = []

        def on_line(line: str) -> None:
            for name, data in waiting.items():
                if line.startswith("cp ") and name in line:
                    say("copying", sum(started), total)
                    started.append(len(data))

        say("copying", 0, total)
        mpremote(port, commands, resume=True, on_line=on_line)
    return total


_MKDIR = f"""
import os
try:
    os.mkdir({STAGE!r})
except OSError:
    pass
"""


def _settle(port: str, todo: Plan, folders: set[str]) -> Survey:
    """Have the board put the files to their places; what lies in folders then."""
    moves = [[_staged_name(path, data), path, sha256(data)] for path, data in todo.put.items()]
    hold = ""
    if todo.held is not None:
        hold = _staged_name("main.py", todo.held)
        moves.append([hold, "main.py", sha256(todo.held)])
    moves.sort(key=lambda move: move[1] == "main.py")
    script = f"STAGE = {STAGE!r}\nMOVES = {moves!r}\nREMOVE = {todo.remove!r}\nHOLD = {hold!r}\n"
    commands = ["exec", _MKDIR + script, "+", "run", str(_ON_BOARD / "install_files.py"), "+",
                *_survey_commands(folders)]  # fmt: skip
    out = mpremote(port, commands, resume=True)
    if "settled" not in out.split():
        damaged = [line.partition(" ")[2] for line in out.splitlines() if "damaged " in line]
        raise BeckonError("{file} came to the board on {port} damaged; deploy again, with a "
                          "shorter cable if it happens again", port=port,
                          file=damaged[0] if damaged else Sentence("a file"))
    return _surveyed(port, out)


def _verify(port: str, after: Survey, files: Mapping[str, bytes], todo: Plan) -> None:
    for path, data in files.items():
        if after.files.get(path) != sha256(data):
            raise BeckonError("{path} on {port} is not what was copied; deploy again", path=path,
                              port=port)
    for path in todo.remove:
        if path in after.files:
            raise BeckonError("{path} on {port} cannot be removed; deploy again", path=path,
                              port=port)


def _wait_for_life(port: str, report: Report) -> None:
    """Restart the board and read until the firmware says how it and its sensor are."""
    said: list[str] = []
    try:
        with Console(port) as console:
            console.catch()
            console.restart()
            if _lives(console, report, said):
                return
    except Unplugged:  # where MicroPython itself is the USB device, a reset unplugs it
        wait_for_port(port)
        with Console(port) as console:
            if _lives(console, report, said):
                return
    last = f"; it last said: {said[-1]}" if said else ""
    raise BeckonError("all is copied, but within {sign_timeout_s:g} s the board on {port} gave no "
                      "sign of life{last}; run beckon doctor {port}",
                      sign_timeout_s=_SIGN_TIMEOUT_S, port=port, last=last)


def _lives(console: Console, report: Report, said: list[str]) -> bool:
    """Read what the firmware says, into said; False if it says nothing of its link.

    Raises BeckonError for a fault, and for a sensor that it does not find.
    """
    for line in console.lines(_SIGN_TIMEOUT_S):
        _note(line.rstrip(), report, said)
        if report.sign:
            break
    if report.sign.startswith(_ACCESS_POINT):
        return True  # in place of the rest of the firmware, the sensor's, too
    if report.sign and not report.sensor:
        for line in console.lines(_SENSOR_TIMEOUT_S):
            _note(line.rstrip(), report, said)
            if report.sensor:
                break
    if report.sensor.startswith(_NO_SENSOR):
        raise BeckonError("all is copied, but the firmware finds {sensor}; run beckon doctor "
                          "{port}", sensor=report.sensor, port=report.port)
    if report.sign and not report.sensor:
        doubt = f"it says nothing of its sensor; run beckon doctor {report.port}"
        report.warning = f"{report.warning}; {doubt}" if report.warning else doubt
    return bool(report.sign)


def _note(line: str, report: Report, said: list[str]) -> None:
    """Take one line of the console. Raises BeckonError with what it says of a fault."""
    if line and not line[0].isspace():
        said.append(line)
    if len(said) > 1 and said[-2].startswith("Traceback") and line == said[-1]:
        raise BeckonError("all is copied, but the firmware stops: {line}", line=line)
    if line.startswith(("linked to ", "no Wi-Fi: ", _ACCESS_POINT)):
        report.sign = line
    elif line.startswith("no link: "):
        report.sign = "the firmware runs"
        report.warning = f"{line}; beckon setup tells the board Wi-Fi and broker"
    elif line.startswith((_NO_SENSOR, "sensor: ")):
        report.sensor = line
    elif line.startswith("beckon: "):
        raise BeckonError("all is copied, but the firmware reports: {line}", line=line[8:])
