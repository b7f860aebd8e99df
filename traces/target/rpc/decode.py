"""Decode parameters as SPDK's handlers do: strictly (LIFECYCLE 2.3).

An unknown, missing, doubled or ill-typed parameter is refused with the method's own code and text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from uuid import UUID

from bdevcheck.model.catalogue.difference import parameters_in_version
from bdevcheck.model.catalogue.method import ANYTHING, Method
from bdevcheck.model.variant import Variant
from bdevcheck.traces.target.refusal import Refused

Decoder = Callable[[object], object]


def decode(method: Method, given: object, variant: Variant) -> dict[str, object]:
    """Return the parameters of a call; raises `Refused` with what the method says of bad ones."""
    if ANYTHING in method.forgives:
        return dict(given) if isinstance(given, dict) else {}
    known = parameters_in_version(method, variant.version)
    if given is None:
        return _complete(method, {})
    if not known or not isinstance(given, dict) or not set(given) <= set(known):
        raise Refused(*method.decode)
    try:
        return _complete(
            method, {name: _decoder(method.name, name)(value) for name, value in given.items()}
        )
    except (TypeError, ValueError):
        raise Refused(*method.decode) from None


def _complete(method: Method, params: dict[str, object]) -> dict[str, object]:
    """Return the parameters if none that is required is missing."""
    if any(name not in params and name not in method.forgives for name in method.required):
        raise Refused(*method.decode)
    return params


# -- types -----------------------------------------------------------------------------------------


@cache
def _types() -> Mapping[str, Mapping[str, str]]:
    text = files("bdevcheck.model.catalogue").joinpath("types.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _decoder(method: str, parameter: str) -> Decoder:
    table = _types()
    kind = table.get(method, {}).get(parameter) or table["every"].get(parameter, "any")
    return _DECODERS[kind]


def _string(value: object) -> object:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _uuid(value: object) -> object:
    if not isinstance(value, str):
        raise TypeError(value)
    return str(UUID(value))


def _bool(value: object) -> object:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _strings(value: object) -> object:
    if not isinstance(value, list):
        raise TypeError(value)
    return [_string(each) for each in value]


def _integer(least: int, most: int) -> Decoder:
    """Return a decoder of whole numbers; 1.0 and 1e3 are such, too (spdk_json_number_split)."""

    def read(value: object) -> object:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(value)
        return value

    return read


_DECODERS: Mapping[str, Decoder] = {
    "any": lambda value: value,
    "string": _string,
    "uuid": _uuid,
    "bool": _bool,
    "strings": _strings,
    "u8": _integer(0, 2**8 - 1),
    "u16": _integer(0, 2**16 - 1),
    "u32": _integer(0, 2**32 - 1),
    "u64": _integer(0, 2**64 - 1),
    "i32": _integer(-(2**31), 2**31 - 1),
}
