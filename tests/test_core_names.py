"""Names: an alias stands for a bdev while nothing says that it has changed hands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import names as module
from bdevcheck.conformance.names import Names, may_be_alias

UUID = "6f1d1c0e-5a4e-4f0e-9a53-0123456789ab"


def _names(*learnt: tuple[str, str]) -> Names:
    names = Names()
    for name, alias in learnt:
        names.learn(name, [alias])
    return names


def test_alias_stands_for_its_bdev_and_every_other_name_for_itself() -> None:
    names = _names(("m", "x"))
    assert [names.canonical(name) for name in ("x", "m", "other")] == ["m", "m", "other"]


def test_alias_learnt_again_of_the_same_bdev_stays() -> None:
    assert _names(("m", "x"), ("m", "x")).canonical("x") == "m"


def test_alias_of_two_bdevs_in_turn_is_resolved_no_more() -> None:
    assert _names(("m", "x"), ("n", "x"), ("n", "x")).canonical("x") == "x"


def test_alias_that_was_forgotten_is_never_learnt_again() -> None:
    names = _names(("m", "x"))
    names.forget("x")
    names.learn("m", ["x"])
    assert names.canonical("x") == "x"


def test_bdev_is_no_alias_of_its_own() -> None:
    names = _names(("m", "m"), ("m", "x"))
    assert (names.canonical("m"), names.canonical("x")) == ("m", "m")


def test_alias_of_an_alias_is_followed_one_step_only() -> None:
    assert _names(("m", "x"), ("x", "y")).canonical("y") == "x"


def test_alias_that_was_learnt_first_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ALIASES", 2)
    names = _names(("m", "x"), ("n", "y"), ("o", "z"))
    assert [names.canonical(alias) for alias in "xyz"] == ["x", "n", "o"]


def test_alias_that_changed_hands_long_ago_may_be_learnt_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_ALIASES", 2)
    names = Names()
    for alias in ("x", "y", "z"):
        names.forget(alias)
    names.learn("m", ["x", "z"])
    assert (names.canonical("x"), names.canonical("z")) == ("m", "z")


@given(st.lists(st.tuples(st.sampled_from("mn"), st.sampled_from("xyz")), max_size=8))
def test_alias_is_resolved_only_while_all_agree_on_it(learnt: list[tuple[str, str]]) -> None:
    names = _names(*learnt)
    for alias in "xyz":
        owners = {name for name, each in learnt if each == alias}
        assert names.canonical(alias) == (owners.pop() if len(owners) == 1 else alias)


@pytest.mark.parametrize("name", [UUID, UUID.upper(), "lvs/v", "/", "a/b/c"])
def test_uuid_and_path_may_be_aliases(name: str) -> None:
    assert may_be_alias(name)


@pytest.mark.parametrize("name", ["", "m", "raid1", UUID[1:], f"{UUID}0", f" {UUID}", "\ud800"])
def test_other_names_are_no_aliases(name: str) -> None:
    assert not may_be_alias(name)
