"""The emulated target's raids under random calls: each step is one that the machines have."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Io, Storage
from bdevcheck.traces.target.modules.raid.state import Raids
from bdevcheck.traces.target.refusal import Aborted
from tests.emulated import Answer, Bench
from tests.test_target_raid import appear, break_io

BASES = ("m0", "m1", "m2", "m3")
RAIDS = ("r", "s", "m0")
DELAYS_NS = (1000, 10**6, 10**9)
RUNS = 60


@dataclass
class Run:
    """One run: a target, and what lies on its bases, present or not."""

    bench: Bench
    rnd: random.Random
    held: dict[str, tuple[Storage, str]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def base(self) -> str:
        return self.rnd.choice(BASES)

    def raid(self) -> str:
        return self.rnd.choice(RAIDS)

    def send(self, method: str, **params: object) -> None:
        self.answers.append(self.bench.send(method, **params))


def create(run: Run) -> None:
    level = run.rnd.choice(["raid1", "raid1", "raid0", "concat", "raid5f"])
    run.send(
        "bdev_raid_create",
        name=run.raid(),
        raid_level=level,
        base_bdevs=run.rnd.sample(BASES, run.rnd.randint(1, 3)),
        superblock=run.rnd.random() < 0.7,
        strip_size_kb=0 if level == "raid1" else 64,
    )


def delete(run: Run) -> None:
    run.send("bdev_raid_delete", name=run.raid())


def take(run: Run) -> None:
    run.send("bdev_raid_remove_base_bdev", name=run.base())


def add(run: Run) -> None:
    run.send("bdev_raid_add_base_bdev", raid_bdev=run.raid(), base_bdev=run.base())


def go(run: Run) -> None:
    name = run.base()
    bdev = run.bench.target.layer.find(name)
    if bdev is not None and bdev.module == "malloc":
        run.held[name] = bdev.storage, bdev.uuid
        run.send("bdev_malloc_delete", name=name)


def come(run: Run) -> None:
    name = run.base()
    uuid = f"00000000-0000-4000-8000-00000000000{name[-1]}"
    storage, _ = run.held.get(name, (Storage(), ""))
    if {name, uuid}.isdisjoint(run.bench.target.layer.names):
        appear(run.bench, name, storage, uuid)


def change(run: Run) -> None:
    name = run.base()
    bdev = run.bench.target.layer.find(name)
    if bdev is not None and bdev.module == "malloc":
        both: list[Io] = ["read", "write"]
        kinds = [run.rnd.choice(both)] if run.rnd.random() < 0.2 else []
        break_io(run.bench, name, *kinds, delay_ns=run.rnd.choice(DELAYS_NS))


def wait(run: Run) -> None:
    pause = run.rnd.choice([0, 1000, 10**8, 10**9, 10**11])
    run.bench.reactor.run_until(run.bench.reactor.now_ns + pause)


def write(run: Run) -> None:
    bdev = run.bench.target.layer.find(run.raid())
    if bdev is not None:
        bdev.io("write", lambda _: None)


ACTIONS: list[Callable[[Run], None]] = [
    create, create, delete, take, add, add, go, come, come, come, change, wait, wait, wait, write,
]  # fmt: skip


def play(run: Run) -> None:
    for _ in range(run.rnd.randint(3, 40)):
        run.rnd.choice(ACTIONS)(run)
    run.bench.settle()


def assert_at_rest(bench: Bench) -> None:
    """Check that slots, claims and bdevs agree."""
    known = bench.target.part(Raids)
    for raid in known.raids:
        assert not raid.is_busy
        assert raid.discovered <= raid.operational <= len(raid.slots)
        assert (bench.target.layer.find(raid.name) is raid.bdev) is raid.is_online
        for slot in raid.slots:
            assert (slot.descriptor is not None) is slot.is_configured
    for bdev in bench.target.layer.bdevs:
        assert bdev.claim is not None
        assert bdev.claim.may("is_claimed") is (known.member(bdev) is not None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_random_calls_leave_slots_claims_and_bdevs_in_agreement(variant: str) -> None:
    at_rest = served = 0
    for seed in range(RUNS):
        run = Run(Bench(variant), random.Random(seed))
        for _ in range(3):
            come(run)
        try:
            play(run)
        except Aborted:
            continue
        assert_at_rest(run.bench)
        at_rest += 1
        served += sum(answer.result is True for answer in run.answers)
    assert at_rest > RUNS // 2
    assert served > 2 * at_rest
