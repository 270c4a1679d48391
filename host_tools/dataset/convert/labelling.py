"""Labels and people of files, from their folders, their names or a pattern.

    labelling = Labelling(root, files, options)
    labelling.label(path), labelling.subject(path)
"""
from __future__ import annotations

import re
from pathlib import Path

from host_tools.dataset.convert.options import Options
from host_tools.errors import BeckonError

_SPLITS = ("training", "testing", "train", "test")  # folders that name a split
_NO_LABEL = re.compile(r"^(take|sample|rec|recording|data|session|trial|file|record|test|run|"
                       r"measurement|export)?[\W_\d]*$", re.I)  # fmt: skip


class Labelling:
    """How a folder's files are labelled: one way for all of them.

    Raises BeckonError if folders and names could both be meant.
    """

    def __init__(self, root: Path, files: list[Path], options: Options):
        self._root = root if root.is_dir() else root.parent
        self._options = options
        self._from = options.label_from or ""
        self._pattern = _compile(options.subject_pattern) if options.subject_pattern else None
        if self._from == "folder" and root.is_file():
            self._root = root.parent.parent
        if not self._from and not options.label and root.is_dir():
            self._from = "folder" if self._folders_are_labels(files) else ""
        self._unmatched = 0

    def by_column(self, path: Path, there: bool) -> bool:
        """Whether the labels come from a column, if there is one."""
        if self._options.label:
            return False
        if self._options.label_from == "column" and not there:
            raise BeckonError("{path}: has no column of labels; name it with --columns label=NAME",
                              status=2, path=path)
        return there and self._options.label_from in (None, "column")

    def label(self, path: Path) -> str:
        if self._options.label:
            return self._options.label
        if self._from == "folder":
            folder = self._folder(path)
            if not folder:
                raise BeckonError("{path}: lies in no folder of {name}, so nothing labels it; use "
                                  "--label-from name, or --label", status=2, path=path,
                                  name=self._root.name)
            return folder
        return label_of_name(path)

    def subject(self, path: Path) -> str:
        """What the pattern finds in the path; else the option's. Raises BeckonError."""
        if self._pattern is None:
            return self._options.subject
        relative = path.relative_to(self._root).as_posix() if self._inside(path) else path.name
        found = self._pattern.match(relative)
        if not found:
            raise BeckonError("{path}: {relative!r} does not fit --subject-pattern "
                              "{subject_pattern!r}", status=2, path=path, relative=relative,
                              subject_pattern=self._options.subject_pattern)
        return found["subject"]

    def _inside(self, path: Path) -> bool:
        return self._root in path.parents

    def _folder(self, path: Path) -> str:
        """The folder nearest to the file that is not a split's."""
        if not self._inside(path):
            return ""
        parts = path.relative_to(self._root).parts[:-1]
        return next((p for p in reversed(parts) if p.lower() not in _SPLITS), "")

    def _folders_are_labels(self, files: list[Path]) -> bool:
        by_folder: dict[str, set[str]] = {}
        for path in files:
            by_folder.setdefault(self._folder(path), set()).add(label_of_name(path))
        if "" in by_folder or len(by_folder) < 2:
            return False
        named = [{n for n in names if not _NO_LABEL.match(n)} for names in by_folder.values()]
        every = set().union(*named)
        if len(every) < 2:
            return True  # names that say nothing, or the same in each folder
        if all(len(names) <= 1 for names in named):
            # circle/circle_1.csv: either way the same, unless folders share their names
            return len(every) == len(by_folder)
        shared = any(a & b for i, a in enumerate(named) for b in named[i + 1 :])
        if not shared:
            return True
        folders = ", ".join(sorted(by_folder)[:3])
        raise BeckonError("{root}: the labels may be the folders ({folders}) or the files' names "
                          "({names}); say which with --label-from folder or --label-from name",
                          status=2, root=self._root, folders=folders,
                          names=', '.join(sorted(every)[:3]))


def _compile(pattern: str) -> re.Pattern:
    """"{subject}/*_{}.csv" as a regular expression: * and {} stand for anything but "/"."""
    if pattern.count("{subject}") != 1:
        raise BeckonError("--subject-pattern {pattern!r}: write {{subject}} once, such as "
                          "'{{subject}}/*' or '*_{{subject}}_*'", status=2, pattern=pattern)
    text = re.escape(pattern).replace(r"\{subject\}", r"(?P<subject>[^/_\-. ]+)")
    return re.compile("^" + text.replace(r"\*", "[^/]*").replace(r"\{\}", "[^/]*")
                      + r"(?:\.[A-Za-z.]+)?$")


def label_of_name(path: Path) -> str:
    """"circle.3f2a.csv", "circle_01.csv", "circle01.csv" -> "circle"."""
    stem = path.name.split(".")[0]
    return re.split(r"[\d]", stem)[0].rstrip("_- ") or stem
