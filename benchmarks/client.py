"""The clients of a fleet: what each connection asks for, one call after the other.

A session is a generator: it yields requests, and is sent the value of each reply. Each works on
volumes and bdevs of its own, so that the calls of all may run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from benchmarks.target import new_uuid

Ask = tuple[str, dict[str, Any]]
Session = Generator[Ask, object, None]

VOLUMES_OF_A_STORE = 150


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that is exported: its store, its name in it, and its uuid."""

    store: str
    name: str
    uuid: str

    @property
    def alias(self) -> str:
        """Return the name that people use."""
        return f"{self.store}/{self.name}"

    @property
    def nqn(self) -> str:
        """Return the name of its subsystem."""
        return f"nqn.2016-06.io.spdk:{self.name}"


@dataclass(slots=True)
class Fleet:
    """What the clients know of all that lives, and how many bdevs they keep alive."""

    random: Random
    bdevs: int
    stores: list[str] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    making: int = 0
    made: int = 0

    def take(self) -> Volume | None:
        """Return some volume, which nobody else takes until it is put back."""
        if not self.volumes:
            return None
        number = self.random.randrange(len(self.volumes))
        self.volumes[number], self.volumes[-1] = self.volumes[-1], self.volumes[number]
        return self.volumes.pop()

    def name(self, prefix: str) -> str:
        """Return a name that nothing had before."""
        self.made += 1
        return f"{prefix}{self.made}"


# -- what the fleet stands on --------------------------------------------------------------------


def setup(fleet: Fleet) -> Session:
    """Make the bdevs below: lvstores on raids and on files, and a few of every other kind."""
    for number in range(max(1, fleet.bdevs // VOLUMES_OF_A_STORE)):
        yield from _store(fleet, number)
    for number in range(max(1, fleet.bdevs // 100)):
        yield from _small_stacks(fleet, number)


def _store(fleet: Fleet, number: int) -> Session:
    disks = [f"aio{number}_{part}" for part in range(2 if number % 2 == 0 else 1)]
    for disk in disks:
        yield _aio(disk)
    fleet.others += disks
    base = disks[0]
    if len(disks) > 1:
        base = f"raid{number}"
        yield _raid(base, disks, superblock=True)
        fleet.others.append(base)
    store = f"lvs{number}"
    yield "bdev_lvol_create_lvstore", {"bdev_name": base, "lvs_name": store}
    fleet.stores.append(store)


def _small_stacks(fleet: Fleet, number: int) -> Session:
    for base, make in ((f"malloc{number}d", _delay), (f"malloc{number}p", _passthru)):
        yield _malloc(base)
        ask = make(f"over_{base}", base)
        yield ask
        fleet.others += [base, ask[1]["name"]]
    yield _null(f"null{number}")
    fleet.others.append(f"null{number}")


def _malloc(name: str) -> Ask:
    return "bdev_malloc_create", {"name": name, "num_blocks": 131072, "block_size": 512}


def _null(name: str) -> Ask:
    return "bdev_null_create", {"name": name, "num_blocks": 65536, "block_size": 512}


def _aio(name: str) -> Ask:
    filename = f"/var/lib/spdk/{name}.img"
    return "bdev_aio_create", {"name": name, "filename": filename, "block_size": 512}


def _delay(name: str, base: str) -> Ask:
    latencies = (f"{which}_{way}_latency" for way in ("read", "write") for which in ("avg", "p99"))
    return "bdev_delay_create", {
        "base_bdev_name": base, "name": name, **dict.fromkeys(latencies, 100)
    }  # fmt: skip


def _passthru(name: str, base: str) -> Ask:
    return "bdev_passthru_create", {"base_bdev_name": base, "name": name}


def _raid(name: str, bases: list[str], *, superblock: bool) -> Ask:
    said = {"name": name, "raid_level": "raid1", "base_bdevs": bases}
    return "bdev_raid_create", {**said, "superblock": superblock}


# -- the driver of volumes -----------------------------------------------------------------------


def driver(fleet: Fleet) -> Session:
    """Work for ever: the jobs of a driver of volumes, of monitoring, and of an operator."""
    seen = 0
    jobs, weights = [job for job, _ in JOBS], [weight for _, weight in JOBS]
    while True:
        if fleet.random.random() < _NOTIFY_SHARE:
            asked = {"id": seen, "max": 100}
            reached = yield "notify_get_notifications", asked
            seen = reached if isinstance(reached, int) else seen
            continue
        (job,) = fleet.random.choices(jobs, weights)
        yield from job(fleet)


def _change_volumes(fleet: Fleet) -> Session:
    """Make a volume or delete one, so that about as many bdevs live as are wanted."""
    alive = len(fleet.others) + len(fleet.volumes) + fleet.making
    scarce = (fleet.bdevs - alive) / (0.02 * fleet.bdevs)
    if fleet.random.random() < 0.5 + scarce / 2:
        yield from _make_volume(fleet)
    else:
        yield from _delete_volume(fleet)


def _make_volume(fleet: Fleet) -> Session:
    fleet.making += 1
    store, name = fleet.random.choice(fleet.stores), f"pvc-{new_uuid(fleet.random)}"
    asked = {"lvs_name": store, "lvol_name": name, "size_in_mib": fleet.random.choice(_SIZES)}
    uuid = yield "bdev_lvol_create", {**asked, "thin_provision": True}
    volume = Volume(store, name, str(uuid))
    yield "bdev_get_bdevs", {"name": volume.alias}
    head = {"nqn": volume.nqn}
    yield "nvmf_create_subsystem", {**head, "allow_any_host": True, "serial_number": name[-20:]}
    yield "nvmf_subsystem_add_ns", {**head, "namespace": {"bdev_name": volume.uuid}}
    address = {"trtype": "TCP", "adrfam": "IPv4", "traddr": "192.0.2.1", "trsvcid": "4420"}
    yield "nvmf_subsystem_add_listener", {**head, "listen_address": address}
    fleet.making -= 1
    fleet.volumes.append(volume)


def _delete_volume(fleet: Fleet) -> Session:
    volume = fleet.take()
    if volume is None:
        return
    yield "nvmf_delete_subsystem", {"nqn": volume.nqn}
    yield "bdev_lvol_delete", {"name": fleet.random.choice((volume.uuid, volume.alias))}
    if fleet.random.random() < 0.5:
        yield "bdev_get_bdevs", {"name": volume.uuid}


def _back_up(fleet: Fleet) -> Session:
    """Take a snapshot of a volume, look at it, and delete it again."""
    volume = fleet.take()
    if volume is None:
        return
    name = f"snap-{new_uuid(fleet.random)}"
    uuid = yield "bdev_lvol_snapshot", {"lvol_name": volume.alias, "snapshot_name": name}
    yield "bdev_get_bdevs", {"name": f"{volume.store}/{name}"}
    yield "bdev_lvol_delete", {"name": str(uuid)}
    fleet.volumes.append(volume)


# -- monitoring, and an operator's small stacks --------------------------------------------------


def _some(fleet: Fleet) -> str:
    """Return the name of something that lives, by its alias or its uuid."""
    number = fleet.random.randrange(len(fleet.volumes) + len(fleet.others))
    if number >= len(fleet.volumes):
        return fleet.others[number - len(fleet.volumes)]
    volume = fleet.volumes[number]
    return fleet.random.choice((volume.alias, volume.uuid))


def _look_up(fleet: Fleet) -> Session:
    yield "bdev_get_bdevs", {"name": _some(fleet)}


def _measure(fleet: Fleet) -> Session:
    yield "bdev_get_iostat", {"names": [_some(fleet)]}


def _inspect(fleet: Fleet) -> Session:
    if fleet.volumes:
        yield "nvmf_get_subsystems", {"nqn": fleet.random.choice(fleet.volumes).nqn}


def _asks(method: str) -> Callable[[Fleet], Session]:
    def ask(fleet: Fleet) -> Session:
        del fleet
        yield method, {}

    return ask


def _over(kind: int, top: str, bases: list[str]) -> Ask:
    if kind == 2:
        return _raid(top, bases, superblock=False)
    return (_delay, _passthru)[kind](top, bases[0])


def _try_stack(fleet: Fleet) -> Session:
    """Make a small stack of fresh names, look at its top, and take it down again."""
    kind = fleet.random.randrange(4)
    bases = [fleet.name("m") for _ in range(2 if kind == 2 else 1)]
    top = fleet.name("t")
    if kind == 3:
        yield _aio(top)
    else:
        for base in bases:
            yield _malloc(base)
        yield _over(kind, top, bases)
    yield "bdev_get_bdevs", {"name": top}
    yield (f"bdev_{('delay', 'passthru', 'raid', 'aio')[kind]}_delete", {"name": top})
    for base in bases if kind != 3 else ():
        yield "bdev_malloc_delete", {"name": base}


_SIZES = (64, 1024, 10240, 102400)
_NOTIFY_SHARE = 0.1

JOBS: tuple[tuple[Callable[[Fleet], Session], float], ...] = (
    (_look_up, 340),
    (_change_volumes, 180),
    (_measure, 200),
    (_inspect, 100),
    (_try_stack, 30),
    (_back_up, 20),
    (_asks("bdev_lvol_get_lvstores"), 30),
    (_asks("nvmf_get_stats"), 30),
    (_asks("thread_get_stats"), 30),
    (_asks("spdk_get_version"), 20),
    (_asks("bdev_wait_for_examine"), 15),
    (_asks("bdev_get_bdevs"), 0.6),
    (_asks("bdev_get_iostat"), 0.6),
)
"""The jobs of a driver, and how often each is done, in relation to the others."""


# -- the worst case ------------------------------------------------------------------------------


def churner(fleet: Fleet, alive_at_once: int) -> Session:
    """Create and delete for ever, every bdev under a name of its own, in no order."""
    alive: list[str] = []
    while True:
        alive.append(fleet.name("null"))
        yield _null(alive[-1])
        while alive and len(alive) > fleet.random.randrange(2 * alive_at_once):
            number = fleet.random.randrange(len(alive))
            yield "bdev_null_delete", {"name": alive.pop(number)}
