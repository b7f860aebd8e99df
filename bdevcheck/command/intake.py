"""From what stands on the command line to runs: which files are recordings of the same run.

One run is judged alone as long as the files hold at most one wire. With a directory, or with
several wires, there are several runs. Then files of one folder belong together when their names are
the same up to their endings (`NAME.wire.jsonl` and `NAME.log`, packed or not); a folder that holds
one wire and one log and no other recording is one run, whatever the two are called. What a file
*is* is found by looking into it, never by its name.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import click

from bdevcheck.conformance.fleet import Run, Stray, Trouble
from bdevcheck.traces.detect import Form, detect
from bdevcheck.traces.merge import ONE_A_RUN
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import STDIN, read_lines

PACKED = (".gz", ".zst")
ENDINGS = (".wire.jsonl", ".jsonl", ".log")
"""What is taken off a name to find the run that a file belongs to; the first that fits."""
_ROTATED = re.compile(r"\.log[.-]\d{1,14}$")
"""How the older files of a log end that is rotated."""


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one run.

    `by_chance`: a single file below a directory, which nobody named, whose name says nothing of a
    recording. A text that quotes some lines of a log looks like one. `log_beside`: the log that
    stands beside a wire and was not given.
    """

    name: str
    files: tuple[str, ...]
    by_chance: bool = False
    log_beside: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """What is to be judged: runs by name, and what cannot be read or is no trace.

    `several` tells runs that are reported together from one run that is reported alone.
    """

    groups: tuple[Group, ...]
    several: bool = False
    unreadable: tuple[Run, ...] = ()
    strays: tuple[Stray, ...] = ()


_Read: TypeAlias = dict[str, Form]


def gather(arguments: Iterable[str], form: Form | None = None) -> Intake:
    """Sort arguments into runs; `form` is what all files are, where their content is not to tell.

    Raises `click.BadParameter` for standard input beside a directory or named twice, and for a
    pattern that nothing matches.
    """
    named = tuple(path for each in arguments for path in _expand(each))
    if named.count(STDIN) > 1:
        raise click.BadParameter("standard input, `-`, can be read only once")
    folders = tuple(path for path in named if os.path.isdir(path))
    if folders and STDIN in named:
        raise click.BadParameter(
            f"standard input, `-`, is part of one run; it cannot stand beside {folders[0]}, a "
            "directory of runs"
        )
    if not folders and not _holds_several(named, form):
        return Intake((Group("", named),))
    return _sort(named, form)


def _expand(argument: str) -> Sequence[str]:
    """Return what a pattern matches, as a shell would; anything else stands for itself."""
    if os.path.lexists(argument) or not glob.has_magic(argument):
        return (argument,)
    try:
        found = sorted(glob.glob(argument, recursive=True))
    except ValueError:  # a null byte
        found = []
    if not found:
        raise click.BadParameter(f"nothing matches {argument!r}")
    return found


def _holds_several(named: Sequence[str], form: Form | None) -> bool:
    """Tell whether files hold more than one wire, or more than one of another kind of recording.

    What can be read only once (a pipe, standard input) is not looked into: with one of these, all
    files are taken as one run.
    """
    if len(named) < 2 or any(_is_stream(path) for path in named):
        return False
    forms = [_form_of(path, form) for path in dict.fromkeys(named)]
    return any(forms.count(each) > 1 for each in ONE_A_RUN)


def _is_stream(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return path == STDIN
    return not stat.S_ISREG(mode)


def _form_of(path: str, asked: Form | None) -> Form | InputError:
    """Return what a file is, or why that cannot be told."""
    try:
        if asked is not None:
            next(read_lines(path), None)
            return asked
        return detect(read_lines(path), path)[0]
    except InputError as error:
        return error


def _sort(named: Iterable[str], form: Form | None) -> Intake:
    asked = dict.fromkeys(named)
    read: _Read = {}
    unreadable: list[Run] = []
    strays: list[Stray] = []
    for each in _unique(_files_in(asked)):
        if isinstance(each, Run):
            unreadable.append(each)
        elif isinstance(each, Stray):
            strays.append(each)
        elif isinstance(found := _form_of(each, form), Form):
            read[each] = found
        elif each in asked or _has_ending(each) or not os.access(each, os.R_OK):
            unreadable.append(_unreadable(each, found))
        else:
            strays.append(Stray(each, found.message))
    groups = (_marked(group, asked, read) for group in _groups(read))
    return Intake(tuple(groups), True, tuple(unreadable), tuple(strays))


def _marked(group: Group, asked: Collection[str], read: _Read) -> Group:
    """Return the group with what is odd about a file that stands alone."""
    (first, *others) = group.files
    if others:
        return group
    if read[first] is Form.WIRE:
        return replace(group, log_beside=_log_beside(group.name))
    return replace(group, by_chance=first not in asked and not _has_ending(first))


def _log_beside(stem: str) -> str:
    names = (f"{stem}.log{packed}" for packed in ("", *PACKED))
    return next((name for name in names if os.path.isfile(name)), "")


def _unreadable(path: str, error: InputError) -> Run:
    return Run(path, (path,), trouble=Trouble.UNREADABLE, reason=_describe(error))


def _describe(error: InputError) -> str:
    return f"{error.message}; allowed: {error.allowed}"


# -- files below directories ---------------------------------------------------------------------


def _files_in(named: Iterable[str]) -> Iterator[str | Run | Stray]:
    for path in named:
        if os.path.isdir(path):
            yield from _walk(path)
        else:
            yield path


def _walk(folder: str) -> Iterator[str | Run | Stray]:
    """Yield the files below a folder in order of their names, hidden ones aside."""
    closed: list[OSError] = []
    for here, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(path := os.path.join(here, name)):
                yield Stray(path, "a link to a directory, not followed")
        for name in sorted(name for name in files if not name.startswith(".")):
            path = os.path.join(here, name)
            special = os.path.exists(path) and _is_stream(path)
            yield Stray(path, "no regular file") if special else path
    for error in closed:
        path = str(error.filename)
        reason = f"cannot be opened: {error.strerror}"
        yield Run(path, (path,), trouble=Trouble.UNREADABLE, reason=reason)


def _unique(found: Iterable[str | Run | Stray]) -> Iterator[str | Run | Stray]:
    """Yield each file once, by the name that it was first called."""
    seen: set[str] = set()
    for each in found:
        if isinstance(each, str):
            real = real_path(each)
            if real in seen:
                continue
            seen.add(real)
        yield each


def real_path(path: str) -> str:
    """Return the path without links; one that no file can have stands for itself."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return path


# -- runs ----------------------------------------------------------------------------------------


def _groups(read: _Read) -> tuple[Group, ...]:
    stems: dict[str, list[str]] = {}
    for path in read:
        stems.setdefault(stem_of(path), []).append(path)
    folders: dict[str, list[str]] = {}
    for stem in stems:
        folders.setdefault(os.path.dirname(stem), []).append(stem)
    groups = [
        group for folder, inside in folders.items() for group in _in(folder, inside, stems, read)
    ]
    return tuple(sorted(groups, key=lambda group: group.name))


def _in(
    folder: str, inside: Sequence[str], stems: dict[str, list[str]], read: _Read
) -> Iterator[Group]:
    """Yield the runs of one folder."""
    files = [path for stem in inside for path in stems[stem]]
    is_pair = len(inside) == len(files) == 2 and {read[path] for path in files} == set(_PAIR)
    runs = {folder or os.curdir: files} if is_pair else {stem: stems[stem] for stem in inside}
    for name, paths in runs.items():
        wires_first = sorted(paths, key=lambda path: (read[path] is not Form.WIRE, path))
        yield Group(name, tuple(wires_first))


_PAIR = (Form.WIRE, Form.LOG)


def stem_of(path: str) -> str:
    """Return a path without what its name says of its form.

    >>> stem_of("runs/a1.wire.jsonl.gz"), stem_of("runs/a1.log.2"), stem_of("a.b")
    ('runs/a1', 'runs/a1', 'a.b')
    """
    bare = _ROTATED.sub(".log", _without(path, PACKED))
    return _without(bare, ENDINGS)


def _has_ending(path: str) -> bool:
    return stem_of(path) != path


def _without(path: str, endings: Iterable[str]) -> str:
    folder, name = os.path.split(path)
    found = next((each for each in endings if name.endswith(each) and name != each), "")
    return os.path.join(folder, name.removesuffix(found)) if found else path
