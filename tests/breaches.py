"""One trace for each judged rule that breaks it, or leaves it in doubt if records cannot prove it.

Recordings of the corpus where they show it, small traces of `tests.builder` for the others.
"""

from __future__ import annotations

from collections.abc import Callable

from bdevcheck.conformance import Doubt, Violation, check
from bdevcheck.conformance.watch import WATCHES
from bdevcheck.conformance.watch.run import watch
from bdevcheck.model import rule
from bdevcheck.model.catalogue.method import WRONG_STATE
from bdevcheck.model.machines.server_slot import SLOTS
from bdevcheck.traces import Trace, load
from tests import specimens
from tests.builder import Json, Script
from tests.command import recording
from tests.watched import entry, listed, poll

Finding = Violation | Doubt

_BASE = "0847d715-d566-4b7f-87e9-f74ae8a57d2b"


def found_in(name: str, trace: Trace) -> Finding | None:
    """Return the first violation of a rule, else the first doubt about it, else None."""
    report = check(trace, rules=(name,))
    seen: list[object] = [*report.violations, *report.undecided, *watch(trace, WATCHES)]
    own = [each for each in seen if isinstance(each, Finding) and each.rule == name]
    return next((each for each in own if isinstance(each, Violation)), next(iter(own), None))


def early_create() -> Trace:
    return load(recording("before-fix/a1_issue3413_one_connection"))


def early_wait() -> Trace:
    return specimens.assembly_uncovered().trace()


def untrue_lookup() -> Trace:
    return Script().base(0, "m").lookup(10, 15, "x").base(30, "x").tick(50).trace()


def early_delete() -> Trace:
    return specimens.deleted_too_soon().trace()


def second_reply() -> Trace:
    script = Script().base(0, "m").request(10, "bdev_get_bdevs", name="m")
    return script.reply(15, []).reply(16, []).tick(50).trace()


def beginning_twice() -> Trace:
    return poll(Script(), 0, [(0, "+", "m"), (1, "+", "m")]).trace(log=False)


def never_notified() -> Trace:
    script = Script().inserting(0, "m").removing(1, "m").removed(2, "m").tick(50)
    return poll(script, 10, [(0, "-", "m")]).trace()


def one_name_for_two() -> Trace:
    return listed(Script(), 0, entry("a", _BASE), entry("b", uuid=_BASE)).trace(log=False)


def two_holders() -> Trace:
    passthru: Json = {"passthru": {"base_bdev_name": "b"}}
    delay: Json = {"delay": {"base_bdev_name": "b"}}
    base = entry("b", claimed=True, claim_type="exclusive_write")
    holders = (entry("p", driver_specific=passthru), entry("d", driver_specific=delay))
    return listed(Script(), 0, base, *holders).trace(log=False)


def back_to_startup() -> Trace:
    script = Script().request(0, "bdev_get_bdevs").reply(5, []).request(10, "bdev_get_bdevs")
    refusal = {"code": WRONG_STATE.code, "message": WRONG_STATE.message.replace("*", "x")}
    body = {"jsonrpc": "2.0", "id": script.latest[1], "error": refusal}
    return script.message(15, "s2c", body).trace(log=False)


def odd_id() -> Trace:
    request = {"jsonrpc": "2.0", "id": {"no": "id"}, "method": "bdev_get_bdevs"}
    reply = {"jsonrpc": "2.0", "id": {"no": "id"}, "result": []}
    return Script().message(0, "c2s", request).message(5, "s2c", reply).trace(log=False)


def no_answer() -> Trace:
    return Script().base(0, "m").request(10, "bdev_get_bdevs").tick(50).trace()


def slots_used_up() -> Trace:
    script = Script()
    for conn in range(1, SLOTS + 2):
        script.request(10 + conn, "bdev_get_bdevs", conn=conn).close(1000 + conn, conn)
    return script.tick(5000).trace()


BREACHES: dict[str, Callable[[], Trace]] = {
    rule.CREATE_AFTER_REGISTER.name: early_create,
    rule.WAIT_COVERS_EXAMINE.name: early_wait,
    rule.LOOKUP_CONSISTENCY.name: untrue_lookup,
    rule.DELETE_AFTER_UNREGISTER.name: early_delete,
    rule.NOTIFICATION_ORDER.name: beginning_twice,
    rule.UNIQUE_NAMES.name: one_name_for_two,
    rule.CLAIM_EXCLUSION.name: two_holders,
    rule.ONE_REPLY.name: second_reply,
    rule.STATE_GATING.name: back_to_startup,
    rule.MALFORMED_REQUEST.name: odd_id,
    rule.ANSWERED.name: no_answer,
    rule.NOTIFIED.name: never_notified,
    rule.SLOTS_RECLAIMED.name: slots_used_up,
}
"""By rule, in order of report."""
