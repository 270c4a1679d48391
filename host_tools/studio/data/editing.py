"""Change many takes or recordings at once; each call is one step to undo. Knows no browser.

    relabel(store, ids, "circle")
    delete_recordings(project, ["take-01"])     # its files go to deleted/ and come back with undo
    store.undo()

Nothing is removed from the disk: deleted/ in the project's folder holds what was deleted.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

from host_tools.errors import BeckonError, Sentence
from host_tools.studio.frame.label_store import Item, LabelStore, clean
from host_tools.studio.frame.project import Project, free_path

DELETED = "deleted"


def relabel(store: LabelStore, ids: Collection[int], label: str) -> int:
    """Give takes another label; returns how many there were. Raises BeckonError."""
    label = store.know_label(label)
    return _change(store, "relabel", ids, lambda item: replace(item, label=label))


def set_person(store: LabelStore, ids: Collection[int], person: str) -> int:
    person = clean(person, Sentence("person"))
    return _change(store, "set person", ids, lambda item: replace(item, subject=person))


def delete_takes(store: LabelStore, ids: Collection[int]) -> int:
    return _change(store, "delete takes", ids, lambda item: None)


def _change(store: LabelStore, name: str, ids: Collection[int],
            change: Callable[[Item], Item | None]) -> int:
    wanted = set(ids)
    touched = [r for r in store.recordings() if any(i.id in wanted for i in store.spans(r))]
    count = 0
    with store.action(name, touched) as after:
        for recording in touched:
            items = [change(i) if i.id in wanted else i for i in after[recording]]
            count += sum(i.id in wanted for i in after[recording])
            after[recording] = tuple(i for i in items if i is not None)
    return count


def takes_of(store: LabelStore, recordings: Iterable[str]) -> list[int]:
    """The ids of all takes in these recordings."""
    return [item.id for name in recordings for item in store.spans(name)]


def delete_recordings(project: Project, names: Collection[str]) -> int:
    """Move recordings aside, and their labels out of labels.csv; returns how many files."""
    aside = project.inside(DELETED)
    token = secrets.token_hex(2)  # so that redo finds the places free, too
    moves = [(path, free_path(aside, f"{stem}-{token}", suffix)) for name in names
             for path in _files(project, name) for stem, suffix in [_stem(path.name)]]
    with project.labels.action("delete recordings", list(names), moves) as after:
        for name in names:
            after[name] = ()
    return len(moves)


def rename_recording(project: Project, old: str, new: str) -> None:
    """Raises BeckonError if the new name is taken or cannot be one."""
    new = clean(new, Sentence("name"))
    if new == old:
        return
    if not new or new.startswith(".") or set(new) & set('/\\:*?"<>|'):
        raise BeckonError("{new}: not a name for a file; use letters, digits, _ and -",
                          new=new or 'nothing')
    if _files(project, new) or project.labels.spans(new):
        raise BeckonError("there is a recording {new} already; choose another name", new=new)
    moves = [(path, path.with_name(new + path.name[len(old):])) for path in _files(project, old)]
    with project.labels.action("rename recording", [old, new], moves) as after:
        after[new] = tuple(replace(item, recording=new) for item in after[old])
        after[old] = ()


def add_recordings(project: Project, files: Collection[tuple[Path, str, Iterable]]) -> list[str]:
    """Bring recordings in, in one step: (file to move in, its name, its dataset.Span's).

    A name that is taken gets a number; undo leaves the file in deleted/. Returns the names.
    Raises BeckonError.
    """
    store, folder = project.labels, project.inside("recordings")
    moves: list[tuple[Path, Path]] = []
    items: dict[str, tuple[Item, ...]] = {}
    for path, wanted, spans in files:
        name, number = wanted, 1
        while name in items or _files(project, name) or store.spans(name):
            number += 1
            name = f"{wanted}-{number}"
        moves.append((path, folder / f"{name}.csv.gz"))
        items[name] = tuple(
            Item(store.new_id(), name, round(s.start_ms, 1), round(s.end_ms, 1),
                 store.know_label(s.label), clean(s.subject, Sentence("person"))) for s in spans)
    with store.action("import", list(items), moves) as after:
        after.update(items)
    return list(items)


def _files(project: Project, name: str) -> list[Path]:
    """The files of a recording: samples, and what the recorder wrote beside them."""
    folder = project.folder / "recordings"
    found = [folder / f"{name}{suffix}" for suffix in (".csv", ".csv.gz", ".json")]
    return [path for path in found if path.is_file()]


def _stem(name: str) -> tuple[str, str]:
    for suffix in (".csv.gz", ".csv", ".json"):
        if name.endswith(suffix):
            return name.removesuffix(suffix), suffix
    return name, ""
