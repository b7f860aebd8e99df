"""Subjects: what a call is about, with what the trace has shown of aliases and lvstores by then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import Call, pair
from bdevcheck.conformance.names import Names
from bdevcheck.conformance.subject import Subject, Subjects
from bdevcheck.model.catalogue import rows_by_name
from tests.builder import Json, Script, wire_of

VOLUME = {"lvol_name": "v", "lvs_name": "l"}


def _call(method: str, params: Json = None, result: Json = None) -> Call:
    script = Script()
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    script.message(0, "c2s", message)
    if result is not None:
        script.message(5, "s2c", {"jsonrpc": "2.0", "id": 1, "result": result})
    (call,) = pair(wire_of(script.trace(log=False)).records).calls
    return call


def _about(subjects: Subjects, method: str, params: Json = None, result: Json = None) -> Subject:
    """Return what a call is about, after all that came before; learn what its reply shows."""
    call = _call(method, params, result)
    assert call.method is not None
    about = subjects.of(call, call.method, result)
    if result is not None:
        subjects.stores.learn(call, call.method)
    return about


def _new() -> Subjects:
    return Subjects(Names())


def _with_store() -> Subjects:
    subjects = _new()
    about = {"bdev_name": "m", "lvs_name": "l"}
    _about(subjects, "bdev_lvol_create_lvstore", about, "L-uuid")
    return subjects


# -- bdevs and bases -------------------------------------------------------------------------------


def test_create_is_about_its_bdev_and_its_bases() -> None:
    params = {"name": "r", "raid_level": "raid1", "base_bdevs": ["a", "b", "a"]}
    about = _about(_new(), "bdev_raid_create", params)
    assert (about.bdevs, about.bases, about.names) == (("r",), ("a", "b"), ("r", "a", "b"))


def test_use_of_a_bdev_makes_none() -> None:
    params = {"bdev_name": "m", "lvs_name": "l"}
    about = _about(_new(), "bdev_lvol_create_lvstore", params)
    assert (about.bdevs, about.bases) == ((), ("m",))


@pytest.mark.parametrize(
    ("method", "result", "bdevs"),
    [
        ("bdev_malloc_create", "Malloc0", ("Malloc0",)),
        ("bdev_nvme_attach_controller", ["N0n1", "N0n2"], ("N0n1", "N0n2")),
    ],
)
def test_result_names_the_bdevs_where_it_can(
    method: str, result: Json, bdevs: tuple[str, ...]
) -> None:
    params = {"name": "N0"} if "attach" in method else None
    assert _about(_new(), method, params, result).bdevs == bdevs


def test_create_without_a_name_is_about_no_bdev_before_its_reply() -> None:
    assert _about(_new(), "bdev_malloc_create").bdevs == ()
    assert _about(_with_store(), "bdev_lvol_create", VOLUME).bdevs == ()


def test_parts_of_a_split_that_a_delete_ends_are_known_by_their_base() -> None:
    about = _about(_new(), "bdev_split_delete", {"base_bdev": "m"})
    assert (about.bdevs, about.bases) == ((), ("m",))


def test_look_up_of_all_is_about_none() -> None:
    assert _about(_new(), "bdev_get_bdevs") == Subject()


def test_alias_is_resolved_as_soon_as_it_is_known() -> None:
    subjects = _new()
    assert _about(subjects, "bdev_get_bdevs", {"name": "l/v"}).bdevs == ("l/v",)
    subjects.names.learn("V", ["l/v"])
    assert _about(subjects, "bdev_get_bdevs", {"name": "l/v"}).bdevs == ("V",)
    assert _about(subjects, "bdev_lvol_delete", {"name": "l/v"}).bdevs == ("V",)


def test_bdev_that_is_named_by_name_and_alias_is_one() -> None:
    subjects = _new()
    subjects.names.learn("a", ["x"])
    params = {"name": "r", "raid_level": "raid1", "base_bdevs": ["a", "x"]}
    assert _about(subjects, "bdev_raid_create", params).bases == ("a",)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
LIFE = sorted(rows_by_name())
PLACES = ("name", "base_bdev_name", "base_bdevs", "lvs_name", "bdev_name", "lvol_name", "uuid")


@given(st.sampled_from(LIFE), st.dictionaries(st.sampled_from(PLACES), ANY) | ANY, ANY)
def test_parameters_and_results_of_any_type_give_names_that_are_text(
    method: str, params: object, result: object
) -> None:
    subjects = _with_store()
    call = _call(method, params, result)
    assert call.method is not None
    about = subjects.of(call, call.method, result)
    subjects.stores.learn(call, call.method)
    assert all(isinstance(name, str) for name in about.names)


# -- lvstores --------------------------------------------------------------------------------------


def test_volume_is_built_on_the_base_of_its_lvstore() -> None:
    about = _about(_with_store(), "bdev_lvol_create", VOLUME)
    assert (about.bases, about.has_store, about.stored) == (("m",), True, True)


def test_lvstore_is_known_by_its_uuid_too() -> None:
    params = {"lvol_name": "v", "uuid": "L-uuid"}
    assert _about(_with_store(), "bdev_lvol_create", params).bases == ("m",)


def test_lvstore_that_the_trace_did_not_make_has_unknown_bases() -> None:
    about = _about(_new(), "bdev_lvol_create", VOLUME)
    assert (about.bases, about.has_store, about.stored) == ((), True, False)


def test_lvstore_made_by_a_failed_call_is_unknown() -> None:
    subjects = _new()
    _about(subjects, "bdev_lvol_create_lvstore", {"bdev_name": "m", "lvs_name": "l"})
    assert not _about(subjects, "bdev_lvol_create", VOLUME).stored


def test_lvstore_made_again_elsewhere_is_where_it_was_made_last() -> None:
    subjects = _with_store()
    _about(subjects, "bdev_lvol_create_lvstore", {"bdev_name": "n", "lvs_name": "l"}, "L2")
    assert _about(subjects, "bdev_lvol_create", VOLUME).bases == ("n",)


def test_snapshot_is_built_on_what_its_volume_is_built_on() -> None:
    subjects = _with_store()
    _about(subjects, "bdev_lvol_create", VOLUME, "V-uuid")
    subjects.names.learn("V-uuid", ["l/v"])
    params = {"lvol_name": "l/v", "snapshot_name": "s"}
    assert _about(subjects, "bdev_lvol_snapshot", params).bases == ("m",)


def test_volume_that_was_deleted_says_nothing_of_its_lvstore() -> None:
    subjects = _with_store()
    _about(subjects, "bdev_lvol_create", VOLUME, "V-uuid")
    subjects.stores.forget("V-uuid")
    params = {"lvol_name": "V-uuid", "snapshot_name": "s"}
    assert not _about(subjects, "bdev_lvol_snapshot", params).stored
