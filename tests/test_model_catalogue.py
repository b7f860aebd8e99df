"""The catalogue: rows decode strictly, templates are filled, and it agrees with LIFECYCLE 4.2."""

import re
from pathlib import Path

import pytest

from bdevcheck.model.catalogue import (
    MAX_NAMES,
    CatalogueError,
    Method,
    base_names,
    bdev_names,
    catalogue,
    clauses_of,
    fill,
    has_superblock,
    method_of,
    methods,
)
from bdevcheck.model.catalogue.load import combine, decode
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
LATER_TOO = "lvol_snapshot lvol_clone lvol_clone_bdev virtio_attach_controller ftl_load"
DEFERRING = "passthru delay crypto zone_block error split raid ocf ftl"
OLD_NAME = {"bdev_ftl_load"}
"""Up to v25.05 another name of bdev_ftl_create, as bdev_ftl_unload is of bdev_ftl_delete."""
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
    assert set(rows_of("delete")) == full(DELETES, "_delete") | {"bdev_ftl_unload"}


def test_two_deletes_are_answered_before_the_bdev_is_gone() -> None:
    early = {name for name, row in rows_of("delete").items() if row.reply == "at-initiation"}
    assert early == {"bdev_split_delete", "bdev_opal_delete"}  # LIFECYCLE 4.5, D1


def test_nine_creates_defer() -> None:
    deferring = {name for name, row in catalogue().items() if row.defers}
    assert deferring - OLD_NAME == full(DEFERRING, "_create")  # LIFECYCLE 4.5, E2
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


def test_what_a_checker_follows_is_in_both_listings_and_nothing_else_is() -> None:
    rows, followed = methods(), catalogue()
    assert dict(followed) == {name: rows[name] for name in followed}
    others = {row.kind for name, row in rows.items() if name not in followed}
    assert others == {"change", "hold", "let-go", "view", "setting"}
    assert not others & {row.kind for row in followed.values()}


def test_a_row_is_found_by_its_old_name() -> None:
    assert method_of("get_lvol_stores") is methods()["bdev_lvol_get_lvstores"]
    assert method_of("bdev_malloc_create") is methods()["bdev_malloc_create"]
    assert method_of("bdev_lvol_get_lvstore") is None


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
    assert set(rows_of("create")) - seen - OLD_NAME == {
        "bdev_compress_create",
        "bdev_virtio_attach_controller",
    }


# --- reading -------------------------------------------------------------------------------------

PLACES = 'module = "m"\nsource = "s"\n'


def test_a_row_needs_its_kind_alone() -> None:
    assert decode('[x]\nkind = "create"', "f") == {"x": Method("create", "x", "f")}


@pytest.mark.parametrize(
    ("row", "found", "allowed"),
    [
        ("", "missing required field `kind`", "columns kind, name, family, module"),
        ('kind = "craete"', "Invalid enum value 'craete' - at `$.kind`", "create, delete, detach"),
        ('kind = "create"\nbsaes = ["x"]', "unknown field `bsaes`", "columns kind, name"),
        ('kind = "create"\nreply = "soon"', "Invalid enum value 'soon'", "at-once, later"),
        ('kind = "create"\nresult = "names?"', "Invalid enum value", "name, names, object"),
        ('kind = "create"\nwhen_deferred = "x"', "Invalid enum value 'x'", "name, names, object"),
        ('kind = "create"\ncontract = "lvol"', "Invalid enum value 'lvol'", "plain, raid"),
        ('kind = "create"\nstates = "all"', "Invalid enum value", "runtime, startup, both"),
        ('kind = "create"\nbases = "base"', "Expected `array`, got `str`", "tuple[str, ...]"),
        ('kind = "create"\ndefers = 1', "Expected `bool`, got `int`", "bool"),
        ('kind = "lookup"\nmissing = ["-19"]', "Expected `int`, got `str`", "tuple[int, ...]"),
        ('kind = "lookup"\nerrors = [["-19", "x"]]', "Expected `int`, got `str`", "Failure"),
        ('kind = "lookup"\nerrors = [[-19]]', "array` of at least length 2", "Failure"),
    ],
)
def test_a_row_out_of_form_is_refused_with_its_place(row: str, found: str, allowed: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        decode(f"[x]\n{row}", "family")
    text = str(caught.value)
    assert text.startswith("family.toml: [x]: ")
    assert found in text
    assert allowed in text.partition("; allowed: ")[2]


def test_a_file_that_is_no_toml_is_refused_with_its_name() -> None:
    for text in ("[x", '[x]\nkind = "view"\n[x]\nkind = "view"'):
        with pytest.raises(CatalogueError, match=r"^family\.toml: .*; allowed: TOML"):
            decode(text, "family")


OTHER = f'[other]\nkind = "view"\n{PLACES}'
FAILS = '[[-19, "gone"]]'


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ('optional = ["a"]\nrequired = ["a"]', "optional: found 'a'; allowed: each parameter once"),
        ('bases = ["b"]', "bases: found 'b'; allowed: a parameter of the method: it has none"),
        ('required = ["a"]\nbases = ["b.c"]', "bases: found 'b.c'; allowed: a parameter of the"),
        ('existing = ["b"]', "existing: found 'b'"),
        ('objects = ["b"]', "objects: found 'b'"),
        ('changes = [{ name = "b" }]', "changes: found 'b'"),
        ('peer = "b"', "peer: found 'b'"),
        ('superblock = "b"\ncontract = "raid"', "superblock: found 'b'"),
        ('bdevs = ["{b}"]', "bdevs: found 'b'"),
        ('store = "{b}"', "store: found 'b'"),
        ('alias = "{b}"', "alias: found 'b'"),
        ('bdevs = ["{B}"]', "bdevs: found '{B}'; allowed: fields {p}, {p#}"),
        ('deleted_by = ["x_delete"]', "deleted_by: found 'x_delete'; allowed: the name of a row"),
        ('deleted_by = ["other"]', "deleted_by: found 'other'; allowed: the name of a row of kind"),
        ('aliases = ["other"]', "aliases: found 'other'; allowed: a name that is no row's own"),
        ('aliases = ["a", "a"]', "aliases: found 'a'; allowed: an alias of one row"),
        ('errors = [[19, "x"]]', "errors: found 19; allowed: codes of JSON-RPC"),
        ('errors = [[-32602, "x"]]', "errors: found -32602; allowed: a message"),
        ('errors = [[-19, ""]]', "errors: found -19; allowed: a cause"),
        ('decode = [5, "x"]', "decode: found 5; allowed: codes"),
        (f"missing = [-2]\nerrors = {FAILS}", "missing: found -2; allowed: codes that `errors`"),
        (
            'early = "raid_early"',
            "early: found 'raid_early'; allowed: a parameter of Variant: raid",
        ),
        ('varies = ["x"]', "varies: found 'x'; allowed: a parameter of Variant"),
        ('required = ["a"]\nchanges = [{ name = "a", by = "x" }]', "changes: found 'x'"),
        ('since = "v27"', "since: found 'v27'; allowed: versions: v24.05, d005e023bd"),
        ('until = "v27"', "until: found 'v27'; allowed: versions"),
        ('since = "v26.05"\nuntil = "v24.09"', "until: found 'v24.09'; allowed: `until` no older"),
        ('errors = [[-19, "x", "", "v9"]]', "errors: found 'v9'; allowed: versions"),
        ("defers = true", "defers: found True; allowed: true only with `bases`"),
        (
            'required = ["a"]\nbases = ["a"]\ndefers = true\nearly = "rpc_batch"',
            "early: found 'rpc_batch'; allowed: empty where `defers` is true",
        ),
        ('when_deferred = "text"', "when_deferred: found 'text'; allowed: a result only where"),
        ('required = ["a"]\nsuperblock = "a"', "superblock: found 'a'; allowed: a parameter only"),
        ('result = "number"', "result: found 'number'; allowed: of kind create: bdevs, bool"),
    ],
)
def test_a_row_that_fits_nothing_is_refused(row: str, text: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        combine([decode(f'[x]\nkind = "create"\n{PLACES}{row}\n{OTHER}', "family")])
    assert str(caught.value).startswith("family.toml: [x] ")
    assert text in str(caught.value)


@pytest.mark.parametrize("key", ["module", "source"])
def test_a_row_says_where_it_comes_from(key: str) -> None:
    rest = "\n".join(line for line in PLACES.splitlines() if not line.startswith(key))
    with pytest.raises(CatalogueError, match=f"{key}: found ''; allowed: some text"):
        combine([decode(f'[x]\nkind = "create"\n{rest}', "family")])


def test_one_alias_of_two_rows_is_refused() -> None:
    rows = "".join(f'[{n}]\nkind = "view"\n{PLACES}aliases = ["old"]\n' for n in "xy")
    with pytest.raises(CatalogueError, match="an alias of one row; it is one of x, y"):
        combine([decode(rows, "family")])


def test_a_method_in_two_files_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"b\.toml: \[other\]: it is in a\.toml too"):
        combine([decode(OTHER, "a"), decode(OTHER, "b")])


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
