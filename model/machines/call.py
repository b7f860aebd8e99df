"""A client that may make any of a set of calls at any time, one after the other."""

from collections.abc import Collection, Mapping, Sequence

from bdevcheck.model.machine import Machine, Row, declare


def any_call(calls: Sequence[str], tests: Mapping[str, Collection[str]]) -> Machine:
    """Return the client: ``choose_<call>``, ``done`` after the reply, and tests.

    There is a test ``is_<call>`` for each call; `tests` names more of them, each with the calls
    during which it does *not* hold.
    """
    states = ["idle", *calls]
    rows: list[Row] = [("done", list(calls), "idle")]
    for call in calls:
        rows.append((f"choose_{call}", "idle", call))
        rows.append((f"is_{call}", call, "="))
    for test, excluded in tests.items():
        rows.append((test, [state for state in states if state not in excluded], "="))
    return declare(
        "any_call", states, rows, resting=["idle"], about="a client that may call anything"
    )
