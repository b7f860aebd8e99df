"""Decode parameters as SPDK's handlers do: strictly (LIFECYCLE 2.3).

An unknown, missing, doubled or ill-typed parameter is refused with the method's own code and text.
Source: lib/json/json_util.c of SPDK v26.05.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import msgspec

from bdevcheck.model.catalogue.difference import parameters_in_version
from bdevcheck.model.catalogue.method import ANYTHING, Method
from bdevcheck.model.variant import Variant
from bdevcheck.traces.target.refusal import Refused

Decoder = Callable[[object], object]
Kind = str | Mapping[str, str]
"""A type as types.toml has it; a mapping is that of an object's members."""

NUL = "\0"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def decode(method: Method, given: object, variant: Variant) -> dict[str, object]:
    """Return the parameters of a call; raises `Refused` with what the method says of bad ones.

    Where a handler does not look at all parameters, those that nobody knows are left out.
    """
    known = parameters_in_version(method, variant.version)
    if ANYTHING in method.forgives:
        if not method.required:
            return {}
        given = _known_of(given, known)
    try:
        return _decode(method, given, known)
    except (TypeError, ValueError):
        raise Refused(*method.decode) from None


def _known_of(given: object, known: tuple[str, ...]) -> object:
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in given.items() if name in known}


def _decode(method: Method, given: object, known: tuple[str, ...]) -> dict[str, object]:
    if given is None and method.name not in types().needs_object:
        given = {}
    elif not known:
        raise TypeError(given)
    params = _object({name: decoder_of(method.name, name) for name in known})(given)
    if any(name not in params and name not in method.forgives for name in method.required):
        raise ValueError(given)
    return params


# -- types -----------------------------------------------------------------------------------------


class Types(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The types of parameters.

    `needs_object` are methods that refuse a call without parameters, `every` the types by
    parameter, `own` those that a method has instead.
    """

    needs_object: frozenset[str]
    every: Mapping[str, Kind]
    own: Mapping[str, Mapping[str, Kind]]


@cache
def types() -> Types:
    """Return the types of parameters that the catalogue has."""
    text = files("bdevcheck.model.catalogue").joinpath("types.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Types)


def kind_of(method: str, parameter: str) -> Kind:
    """Return the type of a parameter, "any" where none is known."""
    table = types()
    return table.own.get(method, {}).get(parameter) or table.every.get(parameter, "any")


@cache
def decoder_of(method: str, parameter: str) -> Decoder:
    """Return what decodes a parameter; it raises `TypeError` or `ValueError`."""
    return _decoder(kind_of(method, parameter))


def _decoder(kind: Kind) -> Decoder:
    if isinstance(kind, Mapping):
        return _object({name: _decoder(of) for name, of in kind.items()})
    most, _, of = kind.rpartition(" ")
    if most:
        return _list(int(most), _decoder(of))
    return _one_of(frozenset(kind.split("|"))) if "|" in kind else _DECODERS[kind]


def _object(members: Mapping[str, Decoder]) -> Callable[[object], dict[str, object]]:
    def read(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise TypeError(value)
        if not members.keys() >= value.keys():
            raise ValueError(value)
        return {name: members[name](each) for name, each in value.items()}

    return read


def _list(most: int, decoder: Decoder) -> Decoder:
    def read(value: object) -> object:
        if not isinstance(value, list):
            raise TypeError(value)
        if len(value) > most:
            raise ValueError(value)
        return [decoder(each) for each in value]

    return read


def _one_of(texts: frozenset[str]) -> Decoder:
    def read(value: object) -> object:
        if _string(value) not in texts:
            raise ValueError(value)
        return value

    return read


def _string(value: object) -> str:
    """Return a string; C has none with a NUL in it (spdk_json_strdup)."""
    if not isinstance(value, str):
        raise TypeError(value)
    if NUL in value:
        raise ValueError(value)
    return value


def _uuid(value: object) -> str:
    """Return a uuid in lower case; it has its hyphens and nothing else (uuid_parse of libuuid)."""
    text = _string(value)
    if _UUID.fullmatch(text) is None:
        raise ValueError(value)
    return text.lower()


def _uuid_or_text(value: object) -> str:
    """Return a string, as a uuid where it is one: nothing is found by another."""
    text = _string(value)
    return text if _UUID.fullmatch(text) is None else text.lower()


def _bool(value: object) -> object:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _integer(least: int, most: int) -> Decoder:
    """Return a decoder of whole numbers: 1.0 and 1e3 are such, 0.0 is none (json_number_split).

    0e1, which SPDK takes, is refused, and -0, which it refuses, taken: neither can be told from
    another number when it has been read.
    """

    def read(value: object) -> object:
        if isinstance(value, float) and value.is_integer() and value:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(value)
        return value

    return read


_DECODERS: Mapping[str, Decoder] = {
    "any": lambda value: value,
    "string": _string,
    "uuid": _uuid,
    "uuid_or_text": _uuid_or_text,
    "bool": _bool,
    "u8": _integer(0, 2**8 - 1),
    "u16": _integer(0, 2**16 - 1),
    "u32": _integer(0, 2**32 - 1),
    "u64": _integer(0, 2**64 - 1),
    "i32": _integer(-(2**31), 2**31 - 1),
}
