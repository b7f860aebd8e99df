"""Hand-built traces that between them exercise every step that the checker knows."""

from __future__ import annotations

from collections.abc import Callable

from tests.builder import Script

SPECIMENS: list[Callable[[], Script]] = []


def _specimen(build: Callable[[], Script]) -> Callable[[], Script]:
    SPECIMENS.append(build)
    return build


def _bases() -> Script:
    return Script().base(0, "a", "b")


def _raid(registered: float, answered: float, *, superblock: bool = True) -> Script:
    script = _bases().raid(20, "r", "a", "b", superblock=superblock)
    return script.inserting(registered, "r").reply(answered)


def _lose_bases(script: Script) -> Script:
    script.request(1100, "bdev_malloc_delete", name="a").removing(1101, "a").removing(1102, "r")
    return script.removed(1103, "r").removed(1104, "a").reply(1106).delete(1110, "b")


def _wait(script: Script, asked: float, answered: float) -> Script:
    script.request(asked, "bdev_wait_for_examine", conn=2).reply(answered, conn=2)
    return script.tick(3000)


@_specimen
def raid_in_time() -> Script:
    return _raid(1000, 1004).lookup(1010, 1015, "r").tick(2000)


@_specimen
def raid_too_soon_and_found_late() -> Script:
    return _raid(2000, 1000).failed_lookup(1010, 1014, "r").lookup(2010, 2014, "r").tick(3000)


@_specimen
def raid_without_superblock() -> Script:
    return _raid(25, 30, superblock=False).delete(40, "r", "bdev_raid_delete").tick(100)


@_specimen
def raid_without_superblock_swallows_an_error() -> Script:
    script = _bases().raid(20, "r", "a", "b", superblock=False).reply(30)
    return script.request(40, "bdev_raid_delete", name="r").reply(45).tick(100)


@_specimen
def raid_with_superblock_swallows_an_error_and_is_deleted() -> Script:
    script = _bases().raid(20, "r", "a", "b").reply(30)
    script.request(40, "bdev_raid_delete", name="r").reply(45)
    return script.raid(50, "r", "a", "b").inserting(60, "r").reply(65).tick(100)


@_specimen
def raid_too_soon_over_bases_that_go() -> Script:
    return _lose_bases(_raid(1000, 1004)).tick(2000)


@_specimen
def name_taken() -> Script:
    script = _bases().raid(20, "r", "a", "b").reply(1000)
    return script.make(500, 505, "r", conn=2).tick(3000)


@_specimen
def assembly_covered() -> Script:
    script = _lose_bases(_raid(1000, 1004)).base(1200, "a", "b").inserting(1300, "r")
    return _wait(script, 1250, 1305)


@_specimen
def assembly_uncovered() -> Script:
    script = _lose_bases(_raid(1000, 1004)).base(1200, "a", "b").inserting(1300, "r")
    return _wait(script, 1250, 1260)


@_specimen
def assembly_that_never_ends() -> Script:
    return _wait(_lose_bases(_raid(1000, 1004)).base(1200, "a", "b"), 1250, 1260)


@_specimen
def assembly_twice_and_revival_with_one_base() -> Script:
    script = _lose_bases(_raid(1000, 1004)).base(1200, "a").inserting(1300, "r")
    script.lookup(1310, 1314, "r").delete(1400, "r", "bdev_raid_delete").base(1500, "b")
    return _wait(script.inserting(1600, "r"), 1550, 1560)


@_specimen
def assembly_asked_for_by_hand() -> Script:
    script = _lose_bases(_raid(1000, 1004)).base(1200, "a", "b")
    for asked, base in ((1220, "a"), (1230, "b")):
        script.request(asked, "bdev_examine", name=base).reply(asked + 4)
    return _wait(script.inserting(1400, "r"), 1300, 1302)


@_specimen
def members_not_examined() -> Script:
    script = Script().base(0, "a").raid(20, "r", "a", "b").reply(25)
    script.request(40, "bdev_examine", name="other").reply(44).base(100, "b")
    return _wait(script.inserting(300, "r"), 120, 305)


@_specimen
def deferred_with_superblock() -> Script:
    script = (
        Script().base(0, "a").raid(20, "r", "a", "b", "c").reply(25).base(60, "c").base(100, "b")
    )
    return _wait(script.inserting(300, "r"), 120, 130).lookup(400, 404, "r")


@_specimen
def deferred_without_superblock() -> Script:
    script = Script().base(0, "a").raid(20, "r", "a", "b", superblock=False).reply(25)
    return _wait(script.base(100, "b").inserting(101, "r"), 120, 130)


@_specimen
def deferred_and_deleted() -> Script:
    script = Script().raid(20, "r", "a", "b").reply(25)
    script.request(30, "bdev_raid_delete", name="r").reply(35).base(100, "a", "b").tick(200)
    return script.raid(210, "r", "a", "b").inserting(220, "r").reply(225).tick(300)


@_specimen
def deferred_vbdev() -> Script:
    script = Script().request(0, "bdev_passthru_create", name="p", base_bdev_name="m").reply(5, "p")
    script.base(10, "m").inserting(11, "p").tick(20).delete(30, "p", "bdev_passthru_delete")
    script.request(40, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(41, "p")
    return script.reply(45, "p").delete(50, "m").removing(51.5, "p").removed(51.7, "p").tick(90)


@_specimen
def at_once_and_again() -> Script:
    script = Script().base(0, "m").delete(10, "m").base(20, "m").lookup(30, 34, "m").delete(40, "m")
    return script.failed_lookup(50, 54, "m").tick(100)


@_specimen
def at_once_too_soon() -> Script:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(5, "m").inserting(50, "m")
    return script.delete(60, "m").tick(100)


@_specimen
def later() -> Script:
    script = Script()
    for asked in (0, 50):
        script.request(asked, "bdev_aio_create", name="m").inserting(asked + 9, "m")
        script.reply(asked + 15, "m").delete(asked + 20, "m", "bdev_aio_delete")
    return script.tick(100)


@_specimen
def later_too_soon() -> Script:
    script = Script().request(0, "bdev_aio_create", name="m").reply(5, "m").inserting(50, "m")
    return script.tick(100)


@_specimen
def compressed_too_soon() -> Script:
    script = Script().base(0, "m").request(20, "bdev_compress_create", base_bdev_name="m")
    return script.reply(30, "COMP_m").inserting(200, "COMP_m").tick(300)


@_specimen
def deleted_too_soon() -> Script:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m").reply(15)
    return script.removing(11, "m").removed(20, "m").tick(100)


@_specimen
def lies() -> Script:
    script = Script().base(0, "m").failed_lookup(10, 15, "m").lookup(20, 25, "x")
    return script.base(30, "x").tick(100)


@_specimen
def lookups_beside_a_slow_delete() -> Script:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m").removing(20, "m")
    script.failed_lookup(21, 30, "m", conn=2).removed(40, "m").reply(45)
    return script.tick(100)


@_specimen
def others() -> Script:
    script = Script(boots=False).tick(-20).lookup(0, 5, "x").removing(10, "x").removed(12, "x")
    script.inserting(20, "x").lookup(30, 35, "x").tick(50)
    return script.delete(60, "x").tick(90)


@_specimen
def pipelined() -> Script:
    script = Script().request(0, "bdev_malloc_create", name="a")
    script.request(0.1, "bdev_aio_create", name="b").raid(0.2, "r", "a", "b")
    script.inserting(1, "a").inserting(1.1, "b").reply(5, "b", id=2).reply(5.1, "a", id=1)
    return script.inserting(50, "r").reply(55, id=3).tick(90)


@_specimen
def volatile() -> Script:
    script = Script().request(0, "bdev_nvme_attach_controller", name="N").inserting(2, "Nn1")
    script.reply(9, ["Nn1"]).request(20, "bdev_nvme_detach_controller", name="N").reply(29)
    return script.removing(22, "Nn1").removed(23, "Nn1").failed_lookup(30, 34, "Nn1").tick(50)


@_specimen
def completion_that_fails_and_is_deleted() -> Script:
    script = Script().base(0, "a").raid(20, "r", "a", "b").reply(25)
    _wait(script, 30, 35).base(100, "b").tick(150)
    return script.request(200, "bdev_raid_delete", name="r").reply(205)


@_specimen
def assembly_that_fails_and_is_deleted() -> Script:
    script = _lose_bases(_raid(1000, 1004)).base(1200, "a", "b")
    return script.request(1400, "bdev_raid_delete", name="r").reply(1405).tick(2000)


@_specimen
def gone_before_the_reply() -> Script:
    script = Script().request(0, "bdev_aio_create", name="m").inserting(1, "m").removing(2, "m")
    script.removed(9, "m").reply(5, "m").request(20, "bdev_aio_create", name="n")
    return script.inserting(21, "n").removing(22, "n").removed(23, "n").reply(29, "n").tick(50)


@_specimen
def name_of_others_while_the_raid_is_pending() -> Script:
    script = Script(boots=False).tick(-20).base(0, "a", "b").lookup(15, 19, "r")
    script.raid(20, "r", "a", "b").removing(30, "r").removed(31, "r")
    return script.inserting(40, "r").reply(45).tick(90)


@_specimen
def deferred_later() -> Script:
    script = Script().base(0, "c")
    script.request(20, "bdev_ocf_create", name="o", cache_bdev_name="c", core_bdev_name="d")
    return script.reply(25, "o").base(50, "d").inserting(51, "o").tick(90)


@_specimen
def member_that_comes_back_to_a_raid_that_is_there() -> Script:
    script = _lose_bases(_raid(1000, 1004)).base(1200, "a").inserting(1300, "r").base(1400, "b")
    return _wait(script.lookup(1410, 1414, "r"), 1420, 1425)


@_specimen
def members_not_examined_one_by_one() -> Script:
    script = Script().raid(20, "r", "a", "b").reply(25).request(40, "bdev_examine", name="other")
    script.reply(44).base(100, "a").base(120, "b").inserting(300, "r").base(400, "c")
    return script.delete(500, "a").removing(500.5, "r").removed(500.7, "r").base(600, "a").tick(900)
