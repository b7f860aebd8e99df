"""Reading the catalogue: the families of methods.toml, in its order, checked as they are read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from bdevcheck.model.catalogue.consistency import problems_in
from bdevcheck.model.catalogue.method import Method, is_followed

INDEX = "methods.toml"


class CatalogueError(ValueError):
    """A row is out of form; the text says file, table and key, what was found, what is allowed."""


@cache
def methods() -> Mapping[str, Method]:
    """Return all rows by method name, in order; raises `CatalogueError` for a row out of form."""
    families = tomllib.loads(_text_of(INDEX))["families"]
    return combine(decode(_text_of(f"{name}.toml"), name) for name in families)


@cache
def catalogue() -> Mapping[str, Method]:
    """Return the rows that a checker follows: what makes, ends or shows bdevs.

    The others (consumers, settings, views ...) are in `methods` only.
    """
    return MappingProxyType({name: row for name, row in methods().items() if is_followed(row)})


@cache
def rows_by_name() -> Mapping[str, Method]:
    """Return all rows by every name that a method has or had."""
    rows = {alias: row for row in methods().values() for alias in row.aliases}
    return MappingProxyType(rows | dict(methods()))


def method_of(name: str) -> Method | None:
    """Return the row of a method by its name or a deprecated one, or None.

    >>> method_of("get_lvol_stores").name
    'bdev_lvol_get_lvstores'
    """
    return rows_by_name().get(name)


def decode(text: str, family: str) -> dict[str, Method]:
    """Return the rows of one file; raises `CatalogueError` where one is out of form."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(
            f"{family}.toml: {error}; allowed: TOML, one table a method"
        ) from error
    return {name: _row(name, table, family) for name, table in tables.items()}


def combine(families: Iterable[Mapping[str, Method]]) -> Mapping[str, Method]:
    """Return the rows of all families; raises `CatalogueError` where they do not fit together."""
    rows: dict[str, Method] = {}
    for family in families:
        for name, row in family.items():
            if name in rows:
                first = rows[name].family
                raise CatalogueError(
                    f"{row.family}.toml: [{name}]: it is in {first}.toml too; allowed: one table"
                )
            rows[name] = row
    for found in problems_in(rows):
        place = f"{rows[found.method].family}.toml: [{found.method}] {found.key}"
        raise CatalogueError(f"{place}: found {found.found!r}; allowed: {found.allowed}")
    return MappingProxyType(rows)


def _row(name: str, table: object, family: str) -> Method:
    try:
        row = msgspec.convert(table, Method)
    except msgspec.ValidationError as error:
        allowed = _allowed(str(error))
        raise CatalogueError(f"{family}.toml: [{name}]: {error}; allowed: {allowed}") from error
    return msgspec.structs.replace(row, name=name, family=family)


def _allowed(message: str) -> str:
    """Return what is allowed where `msgspec` refuses a row."""
    hints = get_type_hints(Method)
    key = re.search(r"\$\.(\w+)", message)
    words = _words_of(hints[key[1]]) if key else ()
    if words:
        return ", ".join(words)
    return Method.__annotations__[key[1]] if key else f"columns {', '.join(hints)}"


def _words_of(hint: object) -> tuple[str, ...]:
    """Return the words that a column can hold, if it is one of words."""
    if get_origin(hint) is Literal:
        return tuple(map(str, get_args(hint)))
    return tuple(word for each in get_args(hint) for word in _words_of(each))


def _text_of(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
