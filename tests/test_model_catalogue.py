"""The catalogue: rows decode strictly, templates are filled, and it agrees with LIFECYCLE 4.2."""

import re
from pathlib import Path

import msgspec
import pytest

from bdevcheck.model.catalogue import (
    MAX_NAMES,
    Method,
    base_names,
    bdev_names,
    catalogue,
    clauses_of,
    fill,
    has_superblock,
)
from bdevcheck.model.contract import (
    CREATE_AT_ONCE,
    CREATE_LATER,
    DEFERRED,
    DEFERRED_SUPERBLOCK,
    RAID_CREATE_PLAIN,
    RAID_CREATE_SUPERBLOCK,
)
from bdevcheck.model.variant import VARIANTS

CREATES = {
    "at-once": "malloc null uring xnvme rbd daos passthru delay crypto zone_block error split opal",
    "later": "iscsi raid compress ocf ftl lvol",
    "after-examine": "aio",
}
LATER_TOO = "lvol_snapshot lvol_clone lvol_clone_bdev virtio_attach_controller"
DEFERRING = "passthru delay crypto zone_block error split raid ocf ftl"
DELETES = (
    "malloc null aio uring xnvme rbd daos iscsi passthru delay crypto zone_block error compress "
    "split raid ocf ftl opal lvol"
)


def rows_of(kind: str) -> dict[str, Method]:
    return {name: row for name, row in catalogue().items() if row.kind == kind}


def full(names: str, ending: str = "") -> set[str]:
    return {f"bdev_{name}{ending}" for name in names.split()}


# --- the rows ------------------------------------------------------------------------------------


def test_the_creates_are_those_of_lifecycle_4_2_by_reply_class() -> None:
    found = {
        reply: {name for name, row in rows_of("create").items() if row.reply == reply}
        for reply in ("at-once", "later", "after-examine", "at-initiation")
    }
    assert found == {
        "at-once": full(CREATES["at-once"], "_create"),
        "later": full(CREATES["later"], "_create") | full(LATER_TOO),
        "after-examine": full(CREATES["after-examine"], "_create")
        | {"bdev_nvme_attach_controller"},
        "at-initiation": set(),
    }


def test_the_deletes_are_those_of_lifecycle_4_2() -> None:
    assert set(rows_of("delete")) == full(DELETES, "_delete")


def test_two_deletes_are_answered_before_the_bdev_is_gone() -> None:
    early = {name for name, row in rows_of("delete").items() if row.reply == "at-initiation"}
    assert early == {"bdev_split_delete", "bdev_opal_delete"}  # LIFECYCLE 4.5, D1


def test_nine_creates_defer() -> None:
    deferring = {name for name, row in catalogue().items() if row.defers}
    assert deferring == full(DEFERRING, "_create")  # LIFECYCLE 4.5, E2
    assert all(catalogue()[name].bases for name in deferring)


def test_every_early_is_a_variant_parameter() -> None:
    early = {row.early for row in catalogue().values()} - {""}
    assert early == {"compress_create_early_reply"}
    assert early <= set(VARIANTS["buggy"].parameters())


def test_no_row_both_defers_and_is_early() -> None:
    # `clauses_of` knows no contract for that.
    assert not [name for name, row in catalogue().items() if row.defers and row.early]


def test_every_row_knows_its_name() -> None:
    assert all(row.name == name for name, row in catalogue().items())


def test_only_a_missing_bdev_makes_a_lookup_or_use_fail_so() -> None:
    missing = {name: row.missing for name, row in catalogue().items() if row.missing}
    assert missing == {"bdev_get_bdevs": (-19, -110), "bdev_lvol_create_lvstore": (-19,)}


# LIFECYCLE's table is not part of the project: where it is there, it is read and compared.

_CLASSES = {"AX": "after-examine", "I": "at-initiation", "S": "at-once", "A": "later"}


def test_classes_agree_with_the_table_of_lifecycle(shared: Path) -> None:
    text = (shared / "spdk" / "LIFECYCLE.md").read_text(encoding="utf-8")
    table = text.split("### 4.2")[1].split("Deletes (all result bool)")[0]
    seen = set()
    for line in table.splitlines():
        cells = [cell.strip().replace("**", "") for cell in re.split(r"(?<!\\)\|", line)]
        row = catalogue().get(cells[1]) if len(cells) > 4 else None
        if row is None or row.kind != "create" or "blk S, scsi A" in cells[4]:
            continue
        seen.add(row.name)
        letters = re.findall(r"\b(AX|A|S|I|D)\b", cells[4])
        assert row.reply == _CLASSES[letters[0]], line
        assert row.defers == ("D" in letters), line
    # Compress has left v26.05, virtio answers its two device types in two ways.
    assert set(rows_of("create")) - seen == {
        "bdev_compress_create",
        "bdev_virtio_attach_controller",
    }


# --- decoding ------------------------------------------------------------------------------------


def decode(text: str) -> dict[str, Method]:
    return msgspec.toml.decode(text, type=dict[str, Method])


def test_a_row_needs_its_kind_alone() -> None:
    assert decode('[x]\nkind = "create"') == {"x": Method("create")}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("", "missing required field `kind`"),
        ('kind = "craete"', "Invalid enum value 'craete'"),
        ('kind = "create"\nbsaes = ["x"]', "unknown field `bsaes`"),
        ('kind = "create"\nreply = "soon"', "Invalid enum value 'soon'"),
        ('kind = "create"\nresult = "names?"', "Invalid enum value"),
        ('kind = "create"\ncontract = "lvol"', "Invalid enum value 'lvol'"),
        ('kind = "create"\nbases = "base"', "Expected `array`, got `str`"),
        ('kind = "create"\ndefers = 1', "Expected `bool`, got `int`"),
        ('kind = "lookup"\nmissing = ["-19"]', "Expected `int`, got `str`"),
    ],
)
def test_a_row_out_of_form_is_refused_with_its_place(row: str, text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=re.escape(text)) as caught:
        decode(f"[x]\n{row}")
    assert "`$[...]" in str(caught.value)


# --- templates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "params", "names"),
    [
        ("plain", {}, ("plain",)),
        ("{name}", {"name": "m"}, ("m",)),
        ("EE_{base}", {"base": "m"}, ("EE_m",)),
        ("{a}/{b}", {"a": "lvs", "b": "lvol"}, ("lvs/lvol",)),
        ("{base}p*", {"base": "m"}, ("mp*",)),
        ("{name}", {}, ()),
        ("{name}", {"name": 7}, ()),
        ("{name}", {"name": None}, ()),
        ("{name}", ["name"], ()),
        ("{name}", None, ()),
        ("{a}/{b}", {"a": "lvs"}, ()),
        ("{b}p{n#}", {"b": "m", "n": 3}, ("mp0", "mp1", "mp2")),
        ("{n#}-{n#}", {"n": 2}, ("0-0", "0-1", "1-0", "1-1")),
        ("{b}p{n#}", {"b": "m", "n": 0}, ()),
        ("{b}p{n#}", {"b": "m", "n": -1}, ()),
        ("{b}p{n#}", {"b": "m", "n": True}, ()),
        ("{b}p{n#}", {"b": "m", "n": "3"}, ()),
        ("{lvs|uuid}", {"lvs": "l", "uuid": "u"}, ("l",)),
        ("{lvs|uuid}", {"uuid": "u"}, ("u",)),
        ("{lvs|uuid}", {}, ()),
        ("{lvol^}/{new}", {"lvol": "lvs/a", "new": "b"}, ("lvs/b",)),
        ("{lvol^}/{new}", {"lvol": "a-uuid", "new": "b"}, ()),
    ],
)
def test_a_template_is_filled(template: str, params: object, names: tuple[str, ...]) -> None:
    assert fill(template, params) == names


def test_a_hostile_count_is_cut() -> None:
    assert len(fill("{n#}", {"n": 10**9})) == MAX_NAMES


@pytest.mark.parametrize(
    ("method", "params", "result", "names"),
    [
        ("bdev_malloc_create", {"name": "m"}, "m", ("m",)),
        ("bdev_malloc_create", {}, "Malloc0", ("Malloc0",)),  # the default name is in the reply
        ("bdev_malloc_create", {}, None, ()),
        ("bdev_split_create", {"base_bdev": "m", "split_count": 2}, ["mp0"], ("mp0",)),
        ("bdev_split_create", {"base_bdev": "m", "split_count": 2}, [], ("mp0", "mp1")),
        ("bdev_ftl_create", {"name": "f"}, {"name": "ftl0", "uuid": "u"}, ("ftl0",)),
        ("bdev_ftl_create", {"name": "f"}, "FTL bdev: f creation deferred", ("f",)),
        ("bdev_error_create", {"base_name": "m"}, True, ("EE_m",)),
        ("bdev_nvme_attach_controller", {"name": "n"}, ["n0n1", "n0n2"], ("n0n1", "n0n2")),
        ("bdev_nvme_attach_controller", {"name": "n"}, [], ()),
        ("bdev_lvol_create", {"lvs_name": "l", "lvol_name": "v"}, "uuid", ("uuid",)),
    ],
)
def test_a_call_names_its_bdevs(
    method: str, params: object, result: object, names: tuple[str, ...]
) -> None:
    assert bdev_names(catalogue()[method], params, result) == names


def test_bases_are_named_once_each_and_in_order() -> None:
    raid, ocf = catalogue()["bdev_raid_create"], catalogue()["bdev_ocf_create"]
    assert base_names(raid, {"base_bdevs": ["b", "a", "b", 3]}) == ("b", "a")
    assert base_names(ocf, {"core_bdev_name": "y", "cache_bdev_name": "x"}) == ("x", "y")
    assert base_names(raid, {}) == base_names(raid, None) == ()


# --- contracts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows_of("create").values(), ids=lambda row: row.name)
def test_a_create_has_the_contract_of_its_class(row: Method) -> None:
    if row.contract == "raid":
        return  # pinned below
    start = CREATE_AT_ONCE if row.reply == "at-once" else CREATE_LATER
    clauses = clauses_of(row, {})
    assert clauses[: len(start)] == start
    rest = clauses[len(start) :]
    if row.defers:
        assert rest == DEFERRED
    else:
        assert [clause.needs for clause in rest] == [{row.early: True}] * bool(row.early)


def test_a_raid_has_the_contract_of_its_superblock() -> None:
    raid = catalogue()["bdev_raid_create"]
    assert clauses_of(raid, {"superblock": True}) == RAID_CREATE_SUPERBLOCK + DEFERRED_SUPERBLOCK
    assert clauses_of(raid, {"superblock": False}) == RAID_CREATE_PLAIN + DEFERRED
    assert clauses_of(raid, {"superblock": "yes"}) == clauses_of(raid, None)
    asked: tuple[object, ...] = ({"superblock": True}, {"superblock": 1}, {}, None)
    assert [has_superblock(raid, params) for params in asked] == [True, False, False, False]


def test_compress_is_early_until_v24_09() -> None:
    early = clauses_of(catalogue()["bdev_compress_create"], {})[-1]
    assert [name for name, v in VARIANTS.items() if early.allowed_in(v)] == ["buggy", "fix-commit"]
