"""Mutants: no column of the catalogue can be changed unnoticed.

Each column has rows in which its value is changed. A mutant is noticed by the reading (rows must
fit together), by a fact of test_model_catalogue_facts.py, by real replies of the corpus, or by the
checker, whose report of some trace changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import msgspec
import pytest

from bdevcheck.conformance import Report, call, check
from bdevcheck.model.catalogue import CatalogueError, Method, catalogue, methods
from bdevcheck.model.catalogue.load import combine
from bdevcheck.model.catalogue.method import Change, Failure
from bdevcheck.traces import Trace
from tests.builder import Script
from tests.specimens import SPECIMENS
from tests.test_model_catalogue_facts import FACTS

Rows = Mapping[str, Method]


@dataclass(frozen=True)
class Mutant:
    """One value of one row, changed, and what notices it."""

    method: str
    column: str
    value: object
    noticed_by: str

    def __str__(self) -> str:
        return f"{self.column}-{self.method}"

    def rows(self) -> Rows:
        row = methods()[self.method]
        assert getattr(row, self.column) != self.value
        changed = msgspec.structs.replace(row, **{self.column: self.value})
        return {**methods(), self.method: changed}


MUTANTS = [
    Mutant("bdev_malloc_create", "kind", "other", "checker"),
    Mutant("bdev_wait_for_examine", "kind", "other", "checker"),
    Mutant("nbd_start_disk", "kind", "view", "facts"),
    Mutant("bdev_delay_create", "module", "passthru", "facts"),
    Mutant("bdev_malloc_create", "module", "", "reading"),
    Mutant("bdev_error_resume_pending", "since", "", "facts"),
    Mutant("bdev_error_resume_pending", "since", "v26", "reading"),
    Mutant("bdev_compress_create", "until", "", "facts"),
    Mutant("bdev_set_options", "states", "runtime", "facts"),
    Mutant("bdev_lvol_get_lvstores", "aliases", (), "facts"),
    Mutant("vmd_enable", "aliases", ("vmd_rescan",), "reading"),
    Mutant("bdev_raid_create", "required", ("name", "base_bdevs"), "facts"),
    Mutant("bdev_malloc_create", "required", ("block_size", "num_blocks", "name"), "reading"),
    Mutant("bdev_rbd_create", "optional", (), "reading"),
    Mutant("bdev_raid_delete", "changes", (Change("clear_sb", "v26.05"),), "facts"),
    Mutant("bdev_raid_delete", "changes", (Change("clear", "v26.05"),), "reading"),
    Mutant("bdev_lvol_clone", "forgives", (), "facts"),
    Mutant("bdev_malloc_create", "forgives", ("uuid",), "reading"),
    Mutant("bdev_malloc_create", "forgives", ("names",), "reading"),
    Mutant("bdev_error_create", "bdevs", ("{base_name}",), "checker"),
    Mutant("bdev_raid_create", "bases", (), "reading"),
    Mutant("bdev_delay_create", "bases", ("uuid",), "checker"),
    Mutant("bdev_lvol_clone_bdev", "existing", (), "facts"),
    Mutant("bdev_crypto_create", "objects", (), "facts"),
    Mutant("bdev_lvol_create", "store", "", "checker"),
    Mutant("bdev_lvol_create", "alias", "", "checker"),
    Mutant("bdev_lvol_snapshot", "peer", "", "checker"),
    Mutant("bdev_raid_create", "superblock", "", "checker"),
    Mutant("bdev_set_options", "auto_examine", "", "facts"),
    Mutant("bdev_set_options", "auto_examine", "auto", "reading"),
    Mutant("bdev_lvol_create", "result", "bool", "checker"),
    Mutant("nvmf_subsystem_add_ns", "result", "bool", "facts"),
    Mutant("bdev_ftl_create", "when_deferred", None, "facts"),
    Mutant("bdev_opal_delete", "reply", "later", "checker"),
    Mutant("bdev_aio_create", "reply", "later", "facts"),
    Mutant("bdev_delay_create", "defers", False, "checker"),
    Mutant("bdev_raid_create", "contract", "plain", "checker"),
    Mutant("framework_start_init", "contract", "plain", "facts"),
    Mutant("bdev_malloc_create", "contract", "start-init", "reading"),
    Mutant("spdk_get_version", "tells", "nothing", "facts"),
    Mutant("bdev_malloc_create", "tells", "version", "reading"),
    Mutant("bdev_compress_create", "early", "", "facts"),
    Mutant("bdev_compress_create", "early", "raid_early", "reading"),
    Mutant("bdev_raid_create", "hold", "write-open", "facts"),
    Mutant("bdev_iscsi_create", "volatile", False, "checker"),
    Mutant("bdev_raid_delete", "discards", False, "checker"),
    Mutant("bdev_delay_create", "ghosts", (), "facts"),
    Mutant("bdev_delay_create", "ghosts", (-5,), "reading"),
    Mutant("bdev_malloc_create", "ghosts", (-12,), "reading"),
    Mutant("bdev_get_bdevs", "missing", (), "checker"),
    Mutant("bdev_malloc_create", "deleted_by", (), "facts"),
    Mutant("bdev_malloc_create", "deleted_by", ("bdev_null_delete",), "facts"),
    Mutant("bdev_malloc_create", "deleted_by", ("bdev_malloc_remove",), "reading"),
    Mutant("bdev_raid_create", "varies", ("raid_clear_sb",), "facts"),
    Mutant("bdev_raid_create", "varies", ("raid_fail",), "reading"),
    Mutant("bdev_raid_create", "decode", (-32603, "spdk_json_decode_object failed"), "facts"),
    Mutant("bdev_malloc_create", "errors", (), "facts"),
    Mutant("bdev_malloc_create", "errors", (Failure(17, "the name is taken"),), "reading"),
    Mutant("bdev_passthru_create", "note", "", "facts"),
    Mutant("bdev_malloc_create", "source", "LIFECYCLE", "facts"),
]


# -- what the checker notices ----------------------------------------------------------------------


def _volumes() -> Script:
    script = Script().base(0, "a")
    script.request(20, "bdev_lvol_create_lvstore", bdev_name="a", lvs_name="l").reply(24, "lu")
    script.request(30, "bdev_lvol_create", lvs_name="l", lvol_name="v", size_in_mib=1)
    return script.inserting(32, "vu").reply(34, "vu")


def _snapshot_of_a_volume_whose_base_goes() -> Script:
    script = _volumes().request(40, "bdev_lvol_snapshot", lvol_name="l/v", snapshot_name="s")
    script.inserting(42, "su").reply(44, "su").delete(50, "a")
    return script.failed_lookup(60, 64, "su").tick(100)


def _volume_found_by_its_alias() -> Script:
    return _volumes().failed_lookup(40, 44, "l/v").tick(100)


def _volume_whose_base_goes() -> Script:
    return _volumes().delete(40, "a").failed_lookup(50, 54, "vu").tick(100)


def _iscsi_bdev_that_vanishes() -> Script:
    script = Script().request(0, "bdev_iscsi_create", name="i", initiator_iqn="q", url="u")
    script.inserting(2, "i").reply(4, "i").failed_lookup(10, 14, "i")
    return script.tick(100)


def _error_bdev_in_time() -> Script:
    script = Script().base(0, "a").request(10, "bdev_error_create", base_name="a")
    return script.inserting(12, "EE_a").reply(14).lookup(20, 24, "EE_a").tick(100)


def _opal_bdev_deleted_too_soon() -> Script:
    script = Script().request(0, "bdev_opal_create", nvme_ctrlr_name="n", nsid=1)
    script.inserting(2, "nr0").reply(4, "nr0").request(20, "bdev_opal_delete", bdev_name="nr0")
    return script.reply(24).removing(30, "nr0").removed(34, "nr0").tick(100)


def _delay_bdev_whose_base_comes_later() -> Script:
    script = Script().request(0, "bdev_delay_create", name="d", base_bdev_name="a").reply(4, "d")
    script.request(10, "bdev_malloc_create", name="a").inserting(12, "a").inserting(13, "d")
    return script.reply(16, "a").tick(100)


OWN: tuple[Callable[[], Script], ...] = (
    _snapshot_of_a_volume_whose_base_goes,
    _volume_found_by_its_alias,
    _volume_whose_base_goes,
    _iscsi_bdev_that_vanishes,
    _error_bdev_in_time,
    _opal_bdev_deleted_too_soon,
    _delay_bdev_whose_base_comes_later,
)


@cache
def _traces() -> tuple[Trace, ...]:
    built = [build() for build in (*SPECIMENS, *OWN)]
    return (*(each.trace() for each in built), *(each.trace(log=False) for each in built))


def _fingerprint(report: Report) -> object:
    return (
        report.verdict,
        [(each.rule, each.bdev, each.states, each.known_in) for each in report.violations],
        [(each.rule, each.bdev, each.place) for each in report.undecided],
        [(each.bdev, each.found) for each in report.unexplained],
        report.obligations,
        report.explained_by,
    )


@cache
def _originals() -> tuple[object, ...]:
    return tuple(_fingerprint(check(trace)) for trace in _traces())


def _checker_notices(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> bool:
    originals = _originals()
    monkeypatch.setattr(call, "rows_by_name", lambda: rows)
    pairs = zip(_traces(), originals, strict=True)
    return any(_fingerprint(check(trace)) != original for trace, original in pairs)


# -- what the rest notices -------------------------------------------------------------------------


def _reading_notices(rows: Rows, _: pytest.MonkeyPatch) -> bool:
    try:
        combine([rows])
    except CatalogueError:
        return True
    return False


def _facts_notice(rows: Rows, _: pytest.MonkeyPatch) -> bool:
    for fact in FACTS:
        try:
            fact(rows)
        except AssertionError:
            return True
    return False


NOTICES: dict[str, Callable[[Rows, pytest.MonkeyPatch], bool]] = {
    "reading": _reading_notices,
    "facts": _facts_notice,
    "checker": _checker_notices,
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_mutant_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert NOTICES[mutant.noticed_by](mutant.rows(), monkeypatch)


@pytest.mark.parametrize("who", NOTICES)
def test_the_catalogue_itself_is_not_noticed(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not NOTICES[who](methods(), monkeypatch)


def test_every_column_has_a_mutant() -> None:
    set_by_reading = {"name", "family"}
    columns = set(Method.__struct_fields__) - set_by_reading
    assert {mutant.column for mutant in MUTANTS} == columns


def test_every_column_that_the_checker_reads_has_a_mutant_that_the_checker_notices() -> None:
    noticed = {mutant.column for mutant in MUTANTS if mutant.noticed_by == "checker"}
    assert noticed == {
        "kind", "bdevs", "bases", "store", "alias", "peer", "superblock", "result", "reply",
        "defers", "contract", "volatile", "discards", "missing",
    }  # fmt: skip
    assert {mutant.method for mutant in MUTANTS if mutant.noticed_by == "checker"} <= set(
        catalogue()
    )
