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
from tests.watched import entry, listed, poll, raid_shown, unwritten

Finding = Violation | Doubt

_BASE = "0847d715-d566-4b7f-87e9-f74ae8a57d2b"
_VOLUME = "46a2ede0-6f2e-4bea-bdcf-c752a27c8ee3"


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


def base_without_its_deferred_bdev() -> Trace:
    script = Script().tick(-5)
    script.request(0, "bdev_passthru_create", name="p", base_bdev_name="b").reply(5, "p")
    return script.base(10, "b").tick(50).trace()


def another_name() -> Trace:
    return Script().request(0, "bdev_malloc_create", name="m").reply(5, "n").trace(log=False)


def ghost() -> Trace:
    script = Script().base(0, "b")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b").error(15, -1)
    script.delete(20, "b").base(30, "b").inserting(31.2, "p")
    built = "vbdev_passthru.c: 755:vbdev_passthru_register: *NOTICE*: created pt_bdev for: p"
    return script.line(31.3, built).tick(50).trace()


def base_gone_first() -> Trace:
    script = Script().base(0, "b")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.inserting(12, "p").reply(15, "p").delete(20, "b")
    return script.removing(26, "p").removed(27, "p").tick(50).trace()


def returned() -> Trace:
    return Script().base(0, "m").delete(10, "m").inserting(30, "m").tick(50).trace()


def never_gone() -> Trace:
    return Script().base(0, "m").removing(10, "m").tick(50).trace()


def stuck_raid() -> Trace:
    script = unwritten(Script().base(0, "m0", "m1").raid(20, "r", "m0", "m1"), 24).reply(28)
    script.request(40, "bdev_raid_get_bdevs", category="all")
    return script.reply(44, [raid_shown("r", "configuring")]).tick(60).trace()


def two_stores() -> Trace:
    script = Script()
    for ms, store in ((0, _BASE), (10, "6f1dd2c4-6f0d-4b39-9d3e-2b8d4f6f3c11")):
        volume: Json = {"lvol": {"lvol_store_uuid": store}}
        listed(script, ms, entry(_VOLUME, "lvs/v", uuid=_VOLUME, driver_specific=volume))
    return script.trace(log=False)


def two_aliases() -> Trace:
    script = Script().request(0, "bdev_lvol_rename", old_name="lvs/a", new_name="b").reply(5)
    return listed(script, 10, entry(_VOLUME, "lvs/a", "lvs/b")).trace(log=False)


def endless_rebuild() -> Trace:
    process: Json = {"type": "rebuild", "target": "m2", "progress": {"blocks": 8, "percent": 50}}
    shown = {**raid_shown("r", "online", members=2), "process": process}
    script = Script().request(0, "bdev_raid_get_bdevs", category="all").reply(4, [shown])
    return script.trace(log=False)


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
    rule.DEFERRED_FIRES.name: base_without_its_deferred_bdev,
    rule.RESULT_NAMES_REGISTERED.name: another_name,
    rule.ERROR_WITHOUT_EFFECT.name: ghost,
    rule.REMOVAL_CASCADE.name: base_gone_first,
    rule.NO_RESURRECTION.name: returned,
    rule.UNREGISTER_FINISHES.name: never_gone,
    rule.RAID_CONSISTENCY.name: stuck_raid,
    rule.LVOL_IDENTITY.name: two_stores,
    rule.RENAME.name: two_aliases,
    rule.REBUILD_FINISHES.name: endless_rebuild,
}
"""By rule, in order of report."""
