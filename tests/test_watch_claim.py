"""`claim-exclusion`: what is listed holds its bases, and so does what a create put on one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.claim import ClaimExclusion, asks
from bdevcheck.conformance.watch.holding import makes_holder
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from tests.builder import Json, Script
from tests.watched import (
    doubts_in,
    entry,
    kept_in,
    listed,
    outcomes_of,
    tally_of_recordings,
    violations_in,
)

UUID = "0847d715-d566-4b7f-87e9-f74ae8a57d2b"


def judged(script: Script, *, log: bool = True) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, ClaimExclusion, log=log)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def shown(*entries: Json) -> tuple[int, int, int]:
    """Judge one list."""
    return judged(listed(Script(), 0, *entries), log=False)


def fault(script: Script, *, log: bool = True) -> str:
    """Return the one violation's own words."""
    (broken,) = violations_in(outcomes_of(script, ClaimExclusion, log=log))
    assert broken.rule == "claim-exclusion"
    return broken.headline.removeprefix("A claim was not exclusive: ")


def on(kind: str, base: Json, **dump: Json) -> Json:
    """Return what a module dumps of a bdev on a base."""
    member = "base_bdev_name" if kind in ("passthru", "delay", "crypto") else "base_bdev"
    return {kind: {member: base, **dump}}


def raid(*slots: Json) -> Json:
    return {"raid": {"base_bdevs_list": list(slots)}}


def slot(uuid: Json, *, configured: Json = True) -> Json:
    return {"name": "as it was given", "uuid": uuid, "is_configured": configured}


BASE = entry("b", UUID, uuid=UUID, claimed=True, claim_type="exclusive_write")
PASS = entry("p", driver_specific=on("passthru", "b"))


# -- lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "holder",
    [
        on("passthru", "b"), on("delay", "b"), on("crypto", "b"), on("zoned_block", "b"),
        on("error_disk", "b"), on("split", "b"), on("gpt", "b"), raid(slot(UUID)),
    ],
)  # fmt: skip
def test_base_that_is_claimed_for_its_one_holder_is_kept(holder: Json) -> None:
    assert shown(BASE, entry("p", driver_specific=holder)) == (1, 0, 0)


def test_base_of_an_lvstore_that_is_claimed_for_it_is_kept() -> None:
    base = entry("b", claimed=True, claim_type="read_many_write_one")
    lvols = [
        entry(name, driver_specific=on("lvol", "b", lvol_store_uuid="s")) for name in ("l", "k")
    ]
    assert shown(base, *lvols) == (1, 0, 0)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (on("passthru", "b"), on("passthru", "b"), "p (passthru) and q (passthru)"),
        (on("passthru", "b"), on("delay", "b"), "p (passthru) and q (delay)"),
        (on("passthru", "b"), on("delay", UUID), "p (passthru) and q (delay)"),
        (on("split", "b"), on("gpt", "b"), "p (split) and q (gpt)"),
        (on("zoned_block", "b"), raid(slot(UUID)), "p (zone_block) and q (raid)"),
        (raid(slot(UUID)), raid(slot("x"), slot(UUID)), "p (raid) and q (raid)"),
        (
            on("lvol", "b", lvol_store_uuid="s"),
            on("lvol", "b", lvol_store_uuid="t"),
            "p (lvol) and q (lvol)",
        ),
        (on("lvol", "b", lvol_store_uuid="s"), on("delay", "b"), "p (lvol) and q (delay)"),
    ],
)
def test_two_holders_of_one_base_are_a_violation(first: Json, second: Json, said: str) -> None:
    base = entry("b", UUID, uuid=UUID)
    script = listed(
        Script(), 0, entry("p", driver_specific=first), base, entry("q", driver_specific=second)
    )
    assert fault(script, log=False) == f"in one list, b is claimed by {said} at once."


@pytest.mark.parametrize("kind", ["split", "gpt", "error_disk"])
def test_parts_of_one_base_share_its_claim(kind: str) -> None:
    parts = [entry(f"bp{part}", driver_specific=on(kind, "b")) for part in range(3)]
    assert shown(BASE, *parts) == (1, 0, 0)


def test_holders_of_two_bases_are_kept() -> None:
    other = entry("c", claimed=True, claim_type="exclusive_write")
    assert shown(BASE, other, PASS, entry("q", driver_specific=on("delay", "c"))) == (1, 0, 0)


def test_base_claimed_in_another_way_than_its_holder_needs_is_a_violation() -> None:
    base = entry("b", claimed=True, claim_type="read_many_write_one")
    said = fault(listed(Script(), 0, base, PASS), log=False)
    assert said == (
        "in one list, b is claimed for read_many_write_one, "
        "while p (passthru) needs exclusive_write."
    )


@pytest.mark.parametrize("claim", [None, 1, [], {}, "", "none", "some_later_type"])
def test_claim_type_that_is_not_known_proves_nothing(claim: Json) -> None:
    assert shown(entry("b", claim_type=claim), PASS) == (1, 0, 0)


def test_base_that_is_not_listed_proves_nothing() -> None:
    assert shown(PASS, entry("q", driver_specific=on("delay", "b"))) == (0, 0, 0)


def test_reply_that_may_be_another_calls_is_left_alone() -> None:
    script = Script().request(0, "bdev_get_bdevs", id=1).request(1, "bdev_get_bdevs", id=1)
    listing = [BASE, PASS, entry("q", driver_specific=on("delay", "b"))]
    assert judged(script.reply(4, listing, id=1).reply(5, listing, id=1)) == (0, 0, 0)


def test_slot_that_is_not_configured_holds_nothing() -> None:
    slots = raid(slot(UUID, configured=False), slot(UUID, configured=1), slot(None))
    assert shown(BASE, PASS, entry("r", driver_specific=slots)) == (1, 0, 0)


def test_slots_name_is_not_looked_up_because_its_alias_may_have_moved() -> None:
    moved = {"name": "b", "uuid": "another", "is_configured": True}
    assert shown(BASE, PASS, entry("r", driver_specific=raid(moved))) == (1, 0, 0)


@pytest.mark.parametrize(
    "odd",
    [
        None, 1, [], "passthru", {}, {"passthru": None}, {"passthru": []}, {"passthru": {}},
        {"passthru": {"base_bdev_name": None}}, {"passthru": {"base_bdev_name": ["b"]}},
        {"passthru": {"base_bdev_name": [{"is_configured": True}]}}, {"unheard_of": {"base": "b"}},
        {"lvol": {"base_bdev": "b"}}, {"lvol": {"base_bdev": "b", "lvol_store_uuid": []}},
        {"raid": {"base_bdevs_list": [None, 1, [], {}, {"is_configured": True, "uuid": []}]}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_holds_nothing(odd: Json) -> None:
    assert shown(BASE, PASS, entry("q", driver_specific=odd)) == (1, 0, 0)
    assert shown(BASE, None, 1, {"name": []}, entry("q", driver_specific=odd)) == (0, 0, 0)


# -- which methods ---------------------------------------------------------------------------------


def test_methods_with_two_bases_are_not_judged_by_their_calls() -> None:
    rows = methods()
    assert not any(asks(row) for row in rows.values() if len(row.bases) > 1)
    assert asks(rows["bdev_passthru_create"])
    assert not makes_holder(rows["bdev_raid_create"])
    assert not makes_holder(rows["nbd_start_disk"])


def test_it_does_not_want_what_only_shows_or_changes() -> None:
    told = ClaimExclusion(Setting())
    kinds = {row.kind for row in methods().values() if told.wants(row)}
    assert kinds.isdisjoint({"view", "change", "setting", "wait", "logging", "examine"})
    assert not told.wants(None)


# -- soundness -------------------------------------------------------------------------------------

KINDS = ("bdev_passthru_create", "bdev_delay_create")


@st.composite
def targets(draw: st.DrawFn) -> Script:
    """A conforming target: a base comes and goes, with the bdevs on it, by anybody's calls."""
    script = Script(boots=draw(st.booleans())).tick(-5)
    listed_: set[str] = set()
    holder = ""
    ms = 0.0
    for number in range(draw(st.integers(1, 20))):
        ms += draw(st.sampled_from([6, 10]))
        ours = draw(st.booleans())
        act = draw(st.sampled_from(["base", "claim", "list", "end"]))
        if act == "list":
            shows = [entry("b", claimed=bool(holder))] if "b" in listed_ else []
            if holder:
                shows.append(entry(holder, driver_specific=on("passthru", "b")))
            listed(script, ms, *shows, conn=2)
        elif act == "base" and "b" not in listed_:
            listed_.add("b")
            if ours:
                script.make(ms, ms + 5, "b")
            else:
                script.inserting(ms + 1, "b")
        elif act == "claim":
            granted = "b" not in listed_ or not holder
            name = f"p{number}"
            if ours:
                method = draw(st.sampled_from(KINDS))
                script.request(ms, method, name=name, base_bdev_name="b")
            if granted and "b" in listed_:
                holder = name
                script.inserting(ms + 1, name)
            if ours and granted:
                script.reply(ms + 5, name)
            elif ours:
                script.error(ms + 5, -1)
        elif act == "end":
            gone = [holder] if holder else []
            gone += ["b"] if "b" in listed_ and draw(st.booleans()) else []
            holder = ""
            listed_ -= set(gone)
            for name in gone:
                script.removing(ms + 1, name).removed(ms + 2, name)
            if ours and gone:
                script.request(ms, "bdev_passthru_delete", name=gone[0]).reply(ms + 5)
    return script.tick(ms + 20)


@given(targets(), st.booleans())
def test_conforming_target_is_never_accused(script: Script, log: bool) -> None:
    assert judged(script, log=log)[1] == 0


# -- recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_claim_exclusion(shared: Path, log: bool) -> None:
    total, odd = tally_of_recordings(shared, [ClaimExclusion], log=log)
    assert (total, odd) == ({("claim-exclusion", "kept"): 1873}, {})
