"""The target's log as clients set it (LIFECYCLE 2.8; lib/log/log_rpc.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.log import LEVELS
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

INVALID_PARAMS = -32602
EVERY = "all"


def _flags(target: Target, call: Call) -> set[str]:
    """Return the flags that a call names. Raises `Refused` for one that is none."""
    known = offer_of(target.settings.variant).flags
    flag = str(call.params["flag"])
    if flag != EVERY and flag not in known:
        raise Refused(INVALID_PARAMS, "invalid log flag")
    return set(known) if flag == EVERY else {flag}


def set_flag(target: Target, call: Call) -> None:
    """Serve log_set_flag."""
    target.log.flags |= _flags(target, call)
    call.reply(result=True)


def clear_flag(target: Target, call: Call) -> None:
    """Serve log_clear_flag."""
    target.log.flags -= _flags(target, call)
    call.reply(result=True)


def get_flags(target: Target, call: Call) -> None:
    """Serve log_get_flags."""
    known = offer_of(target.settings.variant).flags
    call.reply({flag: flag in target.log.flags for flag in known})


def _level(call: Call) -> str:
    level = str(call.params["level"]).upper()
    if level not in LEVELS:
        raise Refused(INVALID_PARAMS, "invalid log level")
    return level


def set_print_level(target: Target, call: Call) -> None:
    """Serve log_set_print_level: what goes to the log that is printed."""
    target.log.level = _level(call)
    call.reply(result=True)


def get_print_level(target: Target, call: Call) -> None:
    """Serve log_get_print_level."""
    call.reply(target.log.level)


def set_level(target: Target, call: Call) -> None:
    """Serve log_set_level: what goes to syslog, which is not emulated."""
    target.log.syslog_level = _level(call)
    call.reply(result=True)


def get_level(target: Target, call: Call) -> None:
    """Serve log_get_level."""
    call.reply(target.log.syslog_level)


def enable_timestamps(target: Target, call: Call) -> None:
    """Serve log_enable_timestamps."""
    target.log.timestamps = bool(call.params["enabled"])
    call.reply(result=True)


HANDLERS: Mapping[str, Handler] = {
    "log_set_flag": set_flag,
    "log_clear_flag": clear_flag,
    "log_get_flags": get_flags,
    "log_set_print_level": set_print_level,
    "log_get_print_level": get_print_level,
    "log_set_level": set_level,
    "log_get_level": get_level,
    "log_enable_timestamps": enable_timestamps,
}
