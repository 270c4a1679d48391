"""What the files of a folder are, and all of them read: the format `auto`."""
from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from host_tools.dataset.convert import article, createai, csv_files, edge_impulse, npy, uci_har
from host_tools.dataset.convert.label_studio import read_annotations
from host_tools.dataset.convert.options import Imported, Options
from host_tools.dataset.convert.tables import read_table
from host_tools.dataset.convert.text import read_text
from host_tools.errors import BeckonError, Sentence

_CURES = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), Sentence("save the spreadsheet as CSV")),
    ".hex": Sentence("in CreateAI, save the data samples instead of the project"),
    ".mat": Sentence("write it as CSV, or as NumPy's .npy"),
    **dict.fromkeys((".pkl", ".pickle"),
                    Sentence("it may run code; write it as CSV, or as NumPy's .npy")),
    **dict.fromkeys((".rar", ".7z", ".tar", ".tgz"), Sentence("unpack it, and name the folder")),
}
_NO_DATA = (".md", ".pdf", ".png", ".jpg", ".jpeg", ".svg", ".html", ".py", ".ipynb", ".labels",
            ".json", ".names", ".yml", ".yaml", ".docx", "")


def read(path: Path, options: Options) -> Imported:
    """Every recording among the files, each by its own format."""
    if path.is_file() and path.suffix.lower() in _CURES:
        raise BeckonError("{path}: is not read; {cures}", path=path,
                          cures=_CURES[path.suffix.lower()])
    if path.is_dir() and uci_har.folder_of(path):
        return uci_har.read(path, options)
    if (path / "recordings").is_dir() and (path / "labels.csv").is_file():
        raise BeckonError("{path}: is a data-set folder already; use it as it is", path=path)
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    files = [p for p in files if not any(part.startswith((".", "__MACOSX")) for part in
                                         p.relative_to(path.parent).parts[1:] or (p.name,))]
    kinds = _sort(path, files)
    data = Imported(path.name, [])
    for found in (
        edge_impulse.read_files(path, kinds["edge-impulse"], options),
        *(createai.read(p, options) for p in kinds["createai"]),
        npy.read_files(path, kinds["npy"], options) if kinds["npy"] else Imported("", []),
        article.read_files(path, kinds["article"], options),
        _tables(path, kinds["csv"], kinds["json"], options),
    ):
        data.recordings += found.recordings
        data.sources += found.sources
        data.notices += found.notices
    if kinds["prose"]:
        data.notices.append(f"{path}: {len(kinds['prose'])} texts hold no numbers and are passed "
                            f"over ({kinds['prose'][0].name})")
    _mention_others(path, kinds["other"], data)
    return data


def _sort(path: Path, files: list[Path]) -> dict[str, list[Path]]:
    kinds: dict[str, list[Path]] = {kind: [] for kind in (
        "edge-impulse", "createai", "npy", "article", "csv", "json", "prose",
        "other")}
    tables = set(csv_files.files_of(path))
    info = any(p.name in ("info.labels", "structured_labels.labels") for p in files)
    for p in files:
        suffix = p.suffix.lower()
        if suffix == ".npy":
            kinds["npy"].append(p)
        elif suffix == ".cbor":
            kinds["edge-impulse"].append(p)
        elif suffix == ".json":
            kinds[_kind_of_json(p)].append(p)
        elif p in tables and path.is_dir() and suffix != ".csv" and _is_prose(p):
            kinds["prose"].append(p)
        elif p in tables:
            kinds["article" if article.is_table(p) else "csv"].append(p)
        else:
            kinds["other"].append(p)
    if info:
        mine = [p for p in kinds["csv"] if p.suffix.lower() == ".csv"]
        kinds["edge-impulse"] = sorted([*kinds["edge-impulse"], *mine])
        kinds["csv"] = [p for p in kinds["csv"] if p not in mine]
    return kinds


def _is_prose(path: Path) -> bool:
    """Whether a text beside recordings holds no row of numbers: notes, a licence."""
    try:
        return not read_table(path).rows
    except BeckonError:
        return True


def _kind_of_json(path: Path) -> str:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError, BeckonError):
        return "json"
    if createai.is_samples(content):
        return "createai"
    if isinstance(content, dict) and isinstance(content.get("payload"), dict):
        return "edge-impulse"
    return "json"


def _tables(path: Path, files: list[Path], others: list[Path], options: Options) -> Imported:
    if not files:
        return Imported("", [])
    parts, exports = read_annotations([*files, *others] if path.is_dir() else [])
    return csv_files.read_files(path, [f for f in files if f not in exports], options, parts)


def _mention_others(path: Path, others: list[Path], data: Imported) -> None:
    curable = [p for p in others if p.suffix.lower() in _CURES]
    if curable and not data.recordings:
        raise BeckonError("{curable}: is not read; {cures}", curable=curable[0],
                          cures=_CURES[curable[0].suffix.lower()])
    for suffix, count in Counter(p.suffix.lower() for p in curable).items():
        data.notices.append(f"{path}: {count} {suffix} files are not read; {_CURES[suffix]}")
    unknown = Counter(p.suffix.lower() for p in others
                      if p.suffix.lower() not in (*_CURES, *_NO_DATA))
    if unknown:
        listed = ", ".join(f"{n} {suffix}" for suffix, n in unknown.most_common(5))
        data.notices.append(f"{path}: files of other kinds are not read: {listed}")
