"""Every property of the bdev core's systems can fail: in some version, or in its twin.

A twin is the system with one row of a machine changed, with another machine in place of one, or
without some of its steps.
"""

from dataclasses import replace

import pytest

from bdevcheck.model.compose import System
from bdevcheck.model.explore import explore
from bdevcheck.model.machine import Machine, redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, Machines, pollers
from bdevcheck.model.property import Property
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify

from .findings import assert_is_a_run
from .test_model_systems_core import PINNED


def mutant(machine: str, trigger: str, source: str, dest: str | None) -> Machines:
    return replace(LIFE_CYCLES, **{machine: redirect(MACHINES[machine], trigger, source, dest)})


Change = Machines | Machine | tuple[str, ...]
"""Other machines; another one in place of one component, by the machine's name; or texts: without
the steps whose labels have one of them."""

OTHER_ORDER = pollers({"base": ("base", "passthru"), "other": ("other",), "wait": ("wait",)})

CLAIMED_IS_FREE = mutant("claim", "is_unclaimed", "exclusive_write", "exclusive_write")
WRITER_IS_NONE = mutant("descriptor", "is_no_writer", "writing", "writing")
STAYS_VISIBLE = mutant("name", "leave", "listed", "listed")
NO_REFUSALS = ("refused",)
NO_ENDS = ("destroyed",)

TWINS: dict[str, dict[str, Change]] = {
    "claims": {
        "a-v1-claim-is-alone": CLAIMED_IS_FREE,
        "lvs0-writes-alone": WRITER_IS_NONE,
        "lvs1-writes-alone": WRITER_IS_NONE,
        "nobody-writes-below-a-snapshot": WRITER_IS_NONE,
        "only-holders-of-the-key-write": WRITER_IS_NONE,
        "lvs0-answered": ("lvs0: formatted",),
        "lvs1-answered": ("lvs1: formatted",),
        "refused-lvstore-lets-its-base-go": ("base closed after the refusal",),
        "an-overlooked-writer-goes": ("nbd_stop_disk: closed",),
        "a-v1-claim-overlooks-a-writer": mutant("descriptor", "see_claim_taken", "writing", None),
        "a-v1-claim-beats-an-lvstore": NO_REFUSALS,
        "two-lvstores-refuse-each-other": NO_REFUSALS,
        "an-lvstore-is-made": ("formatted, base claimed",),
        "an-nbd-disk-is-refused": NO_REFUSALS,
        "snapshots-share": mutant(
            "claim", "claim_read_many_write_none", "read_many_write_none", None
        ),
        "holders-of-a-key-share": mutant(
            "claim", "claim_read_many_write_shared", "read_many_write_shared", None
        ),
        "a-claim-stops-no-reader": ("reader: opened",),
        "no-deadlock": ("reader: ", "A: next", "closed"),
    },
    "delete-races": {
        "lookup-consistency-kept": STAYS_VISIBLE,
        "answered-delete-means-unlisted": mutant("bdev", "destroy", "destructing", "removing"),
        "base-unlisted-after-the-passthru-bdev": mutant("descriptor", "is_closed", "told", "told"),
        "holders-told-of-the-removal": mutant("descriptor", "hear_remove", "writing", "writing"),
        "delete-answered-unless-a-holder-stays": NO_ENDS,
        "unregistration-finishes-unless-a-holder-stays": NO_ENDS,
        "second-delete-finds-nothing": ("no such bdev",),
        "name-is-taken-although-nothing-is-found": NO_REFUSALS,
        "created-again-before-the-delete-is-answered": ("bdev_malloc_create: registered",),
        "found": (": found",),
        "not-found": (": not found",),
        "no-deadlock": ("nbd: ", ": next"),
    },
    "early-deletes": {
        "malloc-unlisted-when-its-delete-is-answered": mutant(
            "bdev", "destroy", "unregistering", "gone"
        ),
        "malloc-created-again": mutant("name", "is_taken", "free", "free"),
        **{f"{bdev}-leaves": NO_ENDS for bdev in ("split", "opal", "malloc")},
        **{f"{bdev}-is-there-again": ("create-again",) for bdev in ("split", "opal", "malloc")},
        "no-deadlock": NO_ENDS,
    },
    "locked-ranges": {
        "unregistration-finishes-when-nothing-is-locked": NO_ENDS,
        "deleted-while-locked": ("a range is locked",),
        "destroyed": NO_ENDS,
        "no-deadlock": NO_ENDS,
    },
    "raid-deletes": {
        "create-answered-unless-the-target-aborts": ("superblock written",),
        "delete-answered-unless-the-target-aborts": NO_ENDS,
        "delete-base-answered-unless-the-target-aborts": NO_ENDS,
        "raid-returns-only-from-its-superblock": mutant("disk", "has_superblock", "blank", "blank"),
        "cleared-raid-stays-away": mutant("disk", "wipe", "raid_superblock", "raid_superblock"),
        "deleted-raid-comes-back": mutant("disk", "write_superblock", "blank", "blank"),
        "deferred-raid-is-completed": ("deferred: a base is missing",),
        "no-deadlock": NO_ENDS,
    },
    "notifications": {
        "other-notified-in-order": mutant("descriptor", "is_closed", "told", "told"),
        "base-notified-in-order": mutant("notification", "owe", "none", "ended_without_beginning"),
        "passthru-notified-in-order": mutant(
            "notification", "owe", "none", "ended_without_beginning"
        ),
        "end-notified-when-unlisted": mutant("bdev", "unlist", "removing", "removing"),
        "base-notified-once-creating-stops": ("base: called",),
        "wait-answered-once-creating-stops": ("wait bdev_wait_for_examine: called",),
        "delete-answered-once-creating-stops": NO_ENDS,
        "base-notified-before-what-it-brought-along": OTHER_ORDER,
        "newest-notified-first": ("other: called",),
        "wait-answered-before-notification": ("wait bdev_wait_for_examine: called",),
        "deleted-before-notified": ("bdev_null_delete: unregistration started",),
        "ended": NO_ENDS,
        "no-deadlock": ("begin_pass", "what waits is called", "churn"),
    },
    "names": {
        "one-bdev-of-a-name": mutant("name", "take", "leaving", "listed"),
        "no-name-is-another-bdevs-uuid": mutant("alias", "take", "leaving", "listed"),
        "delete-answered": NO_ENDS,
        "refused-while-its-name-leaves": NO_REFUSALS,
        "uuid-is-taken-although-the-name-is-free": NO_REFUSALS,
        "name-is-used-again": ("(first): unregistration started",),
        "deleted": NO_ENDS,
        "no-deadlock": (": next",),
    },
    "manual-examine": {
        "delete-answered": NO_ENDS,
        "examined-by-hand": ("is examined", "and examined"),
        "examined-when-it-comes": ("is examined", "and examined"),
        "asked-twice": NO_REFUSALS,
        "unreadable-asked-for": ("unreadable",),
        "no-deadlock": (": next",),
    },
}
_LOST = "other-notified-in-order"
# The same properties of the same vectors, but for one that fails, and one more of its own.
TWINS["notifications-out-of-memory"] = {
    claim: change for claim, change in TWINS["notifications"].items() if claim != _LOST
} | {"registration-undone": ("out of memory",)}


def changed(name: str, variant: str, change: Change) -> System:
    if isinstance(change, Machines):
        return SYSTEMS[name](VARIANTS[variant], change)  # type: ignore[call-arg]  # as all builders do
    system = SYSTEMS[name](VARIANTS[variant])
    if isinstance(change, Machine):
        return replace(system, components={**system.components, change.name: change})
    kept = [each for each in system.vectors if not any(text in each.label for text in change)]
    assert len(kept) < len(system.vectors)
    return replace(system, vectors=tuple(kept))


def fails(system: System, claim: str) -> bool:
    wanted = tuple(each for each in system.properties if each.name == claim)
    (found,) = verify(explore(replace(system, properties=wanted)))
    if found.path is not None:
        assert_is_a_run(system, found.path)
    return found.holds is False


@pytest.mark.parametrize(
    ("name", "claim"), [(name, claim) for name, claims in TWINS.items() for claim in claims]
)
def test_every_property_fails_in_its_twin(name: str, claim: str) -> None:
    assert fails(changed(name, "modern", TWINS[name][claim]), claim)


@pytest.mark.parametrize("name", PINNED)
def test_no_property_is_without_a_twin(name: str) -> None:
    fails_somewhere = {claim for *_, failing in PINNED[name] for claim in failing}
    claims: tuple[Property, ...] = SYSTEMS[name](VARIANTS["modern"]).properties
    assert {each.name for each in claims} == fails_somewhere | set(TWINS[name])
    assert not fails_somewhere & set(TWINS[name])
