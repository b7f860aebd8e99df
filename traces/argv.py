"""Turn arguments of rpc.py into parameters of a request.

What stands on a command line is not what is sent: an argument has another name than its parameter,
flags that are not given say no, sizes become numbers of blocks. argv.toml says how, for those
methods where that is a table; rpc.py computes the rest, and for these the arguments stay as they
are. rpc.py's arguments changed little, but they did change: the table is that of one version.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

RAW = "argv"
"""The parameter under which arguments stand that nobody could map."""

_MIB = 2**20
_NUMBER = re.compile(r"-?\d+(\.\d*)?$")


class _UnfitError(Exception):
    """The arguments are not those of the table."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its flags (none: it goes by its place), and the parameter that it becomes."""

    flags: tuple[str, ...]
    parameter: str
    kind: str
    may_miss: bool


@cache
def arguments_by_method() -> Mapping[str, tuple[Argument, ...]]:
    """Return the table.

    >>> [each.parameter for each in arguments_by_method()["bdev_passthru_create"]][:2]
    ['base_bdev_name', 'name']
    """
    table = tomllib.loads(files("bdevcheck.traces").joinpath("argv.toml").read_text("utf-8"))
    return {method: tuple(map(_argument, rows)) for method, rows in table.items()}


def _argument(row: str) -> Argument:
    flags, _, rest = row.partition("=")
    parameter, _, kind = rest.rpartition(":")
    return Argument(
        tuple(filter(None, flags.split(","))), parameter, kind.rstrip("?"), kind.endswith("?")
    )


def params_of(method: str, arguments: Sequence[str]) -> dict[str, object]:
    """Return the parameters of a call, or its arguments as they are, under RAW.

    >>> params_of("bdev_malloc_create", ["-b", "m0", "32", "512"])["num_blocks"]
    65536
    >>> params_of("bdev_raid_create", ["--unheard-of"])
    {'argv': ['--unheard-of']}
    """
    table = arguments_by_method().get(method)
    if table is None:
        return {RAW: list(arguments)}
    try:
        return _complete(table, _Reading(table).read(arguments))
    except (_UnfitError, ValueError, OverflowError):
        return {RAW: list(arguments)}


@dataclass(slots=True)
class _Reading:
    table: tuple[Argument, ...]
    found: dict[str, object] = field(default_factory=dict)

    def read(self, arguments: Sequence[str]) -> dict[str, object]:
        """Read all arguments; raises _UnfitError or ValueError."""
        by_flag = {flag: each for each in self.table for flag in each.flags}
        places = iter([each for each in self.table if not each.flags])
        rest = iter(arguments)
        for text in rest:
            flag, equals, value = text.partition("=")
            if not text.startswith("-") or _NUMBER.match(text):
                self.take(next(places, None), text)
            elif by_flag.get(flag) is None:
                raise _UnfitError
            else:
                self.take_flag(flag, by_flag[flag], value if equals else None, rest)
        if any(not each.may_miss for each in places):
            raise _UnfitError
        return self.found

    def take(self, argument: Argument | None, text: str) -> None:
        """Take a value."""
        if argument is None:
            raise _UnfitError
        self.found[argument.parameter] = _VALUES[argument.kind](text)

    def take_flag(
        self, flag: str, argument: Argument, value: str | None, rest: Iterator[str]
    ) -> None:
        """Take a flag, with the value that belongs to it."""
        if argument.kind in _VALUES:
            given = value if value is not None else next(rest, None)
            self.take(None if given is None else argument, given or "")
        elif value is None:
            self.found[argument.parameter] = _says(argument, flag)
        else:
            raise _UnfitError


_VALUES: Mapping[str, Callable[[str], object]] = {
    "text": str,
    "int": int,
    "float": float,
    "mib": float,
    "words": str.split,
}


def _says(argument: Argument, flag: str) -> bool:
    if argument.kind.startswith("yesno"):
        return not flag.startswith("--no-")
    return argument.kind != "false"


def _complete(table: tuple[Argument, ...], found: dict[str, object]) -> dict[str, object]:
    """Return parameters with what flags say that were not given, and sizes as numbers of blocks."""
    params: dict[str, object] = {}
    for each in table:
        if each.kind == "mib":
            name, _, unit = each.parameter.partition("/")
            params[name] = _blocks(found.get(each.parameter), found.get(unit))
        elif each.parameter in found:
            params[each.parameter] = found[each.parameter]
        elif each.kind in _UNSAID:
            params[each.parameter] = _UNSAID[each.kind]
    return params


_UNSAID = {"true": False, "false": True, "yesno-false": False}


def _blocks(mib: object, size: object) -> int:
    if not isinstance(mib, float) or not isinstance(size, int) or size <= 0:
        raise _UnfitError
    return int(mib * _MIB // size)
