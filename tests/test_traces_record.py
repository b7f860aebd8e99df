"""The data of traces."""

import pickle

import pytest

from bdevcheck.traces import NO_ID, Damage, InputError, Place, Stamp, id_key


def test_place_prints_as_source_and_line() -> None:
    assert str(Place("a.log", 7)) == "a.log:7"


def test_damage_prints_where_what_and_what_is_allowed() -> None:
    damage = Damage(Place("a", 3), "gap", "seq 9", "seq 4", loses=True)
    assert str(damage) == "a:3: gap: found seq 9; allowed: seq 4"


@pytest.mark.parametrize(("line", "text"), [(0, "x: bad; allowed: y"), (2, "x:2: bad; allowed: y")])
def test_input_error_prints_line_only_when_there_is_one(line: int, text: str) -> None:
    assert str(InputError("x", line, "bad", "y")) == text


def test_data_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Place("a", 1).line = 2  # type: ignore[misc]


def test_absent_id_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(NO_ID)) is NO_ID


def test_records_and_errors_survive_pickling() -> None:
    stamp = Stamp(Place("a", 1), 1, None, 2)
    assert pickle.loads(pickle.dumps(stamp)) == stamp
    assert str(pickle.loads(pickle.dumps(InputError("x", 1, "bad", "y")))) == "x:1: bad; allowed: y"


def test_ids_that_python_holds_for_equal_have_different_keys() -> None:
    ids: list[object] = [1, 1.0, True, "1", "true", None, "null", NO_ID, "", [1], {"a": 1}]
    assert len({id_key(each) for each in ids}) == len(ids)


def test_equal_objects_have_equal_keys_in_any_order() -> None:
    assert id_key({"a": 1, "b": [2]}) == id_key({"b": [2], "a": 1})
