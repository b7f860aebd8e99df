"""Write a call as rpc.py takes it: the contrary of argv.py, from the same table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bdevcheck.traces.argv import Argument, arguments_by_method, params_of

_MIB = 2**20


def arguments_of(method: str, params: Mapping[str, object]) -> list[str] | None:
    """Return the arguments of rpc.py that send these parameters; None where it has none for them.

    >>> arguments_of("bdev_malloc_create", {"name": "m", "num_blocks": 65536, "block_size": 512})
    ['-b', 'm', '32.0', '512']
    >>> arguments_of("bdev_malloc_create", {"name": "m", "num_blocks": "many", "block_size": 512})
    """
    table = arguments_by_method().get(method)
    if table is None:
        return None
    try:
        written = [word for each in table for word in _words(each, params)]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return written if params_of(method, written) == _as_sent(table, params) else None


def _as_sent(table: tuple[Argument, ...], params: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters with what rpc.py adds to them: a flag that is not given says no."""
    unsaid = {each.parameter: False for each in table if each.kind in ("true", "yesno-false")}
    said = {each.parameter: True for each in table if each.kind == "false"}
    return {**unsaid, **said, **params}


def _words(argument: Argument, params: Mapping[str, object]) -> Iterator[str]:
    name, _, unit = argument.parameter.partition("/")
    if name not in params:
        return
    value = params[name]
    if isinstance(value, bool):
        yield from _flag(argument, says=value)
        return
    text = _text(argument.kind, value, params.get(unit))
    yield from (argument.flags[0], text) if argument.flags else (text,)


def _flag(argument: Argument, *, says: bool) -> Iterator[str]:
    """Yield the flag that says so; nothing where it is said by leaving the flag away."""
    if argument.kind == "yesno":
        yield next(flag for flag in argument.flags if flag.startswith("--no-") != says)
    elif says != (argument.kind == "false"):
        yield argument.flags[0]


def _text(kind: str, value: object, unit: object) -> str:
    if kind == "words":
        if not isinstance(value, list) or any(not str(each) or " " in str(each) for each in value):
            raise ValueError(value)
        return " ".join(str(each) for each in value)
    if kind == "mib":
        if not isinstance(value, int) or not isinstance(unit, int):
            raise TypeError(value)
        return str(value * unit / _MIB)
    return str(value)
