"""Holders agree with the claim machine and with the catalogue."""

from __future__ import annotations

import pytest

from bdevcheck.model.catalogue import methods
from bdevcheck.model.holder import HOLDERS, Holder, holds_of
from bdevcheck.model.machines.claim import CLAIM

EVERY = list(HOLDERS.values())


@pytest.mark.parametrize("holder", EVERY, ids=lambda each: each.key)
def test_claim_is_a_state_that_the_machine_can_take_from_the_start(holder: Holder) -> None:
    assert CLAIM.step(CLAIM.initial, f"claim_{holder.claim}") == holder.claim
    assert holder.claim in CLAIM.sources("is_claimed")


@pytest.mark.parametrize("holder", EVERY, ids=lambda each: each.key)
def test_claim_is_what_the_catalogue_says_of_the_modules_methods(holder: Holder) -> None:
    rows = [row for row in methods().values() if row.module == holder.module and row.bases]
    holds = {row.hold for row in rows if row.kind in ("create", "use")}
    assert holds == ({holder.claim} if rows else set())
    assert rows or holder.module == "gpt"  # no method makes a partition's bdev


def test_kinds_are_told_by_their_keys() -> None:
    assert all(key == holder.key for key, holder in HOLDERS.items())


def test_slots_that_are_configured_are_held_by_uuid() -> None:
    slots = [{"name": "a", "uuid": "u", "is_configured": True}, {"name": "b", "uuid": "v"}]
    (hold,) = holds_of("r", {"raid": {"base_bdevs_list": slots}})
    assert (hold.base, hold.who, hold.holder.claim) == ("u", "raid r", "exclusive_write")


def test_volumes_of_one_lvstore_stand_on_one_claim() -> None:
    dump = {"lvol": {"base_bdev": "b", "lvol_store_uuid": "s"}}
    first, second = (next(holds_of(name, dump)) for name in ("l", "k"))
    assert first == second
