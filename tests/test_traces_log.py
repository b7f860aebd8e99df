"""Reading the target's log, sound and damaged."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.traces import (
    FACT_ROWS,
    Damage,
    Fact,
    FactKind,
    LogTrace,
    Place,
    read_lines,
    read_log,
)

CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
RECORDINGS = Path(__file__).parents[1].parent / "shared" / "recordings"
SMALL = (CORPUS / "before-fix" / "c1_nodelay_sb.log").read_bytes().split(b"\n")[:-1]
NOON = int(datetime.fromisoformat("2026-11-22T12:00:00+00:00").timestamp()) * 10**9


def _line(message: str, us: int = 0) -> bytes:
    return f"[2026-11-22 12:00:{us // 10**6:02}.{us % 10**6:06}] {message}".encode()


def _insert(name: str, us: int = 0) -> bytes:
    return _line(f"bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev {name} into list", us)


def read(lines: Iterable[bytes], utc_offset_s: int = 0) -> LogTrace:
    return read_log(enumerate(lines, 1), "a", utc_offset_s)


def _facts(trace: LogTrace) -> list[Fact]:
    return [line.fact for line in trace.lines if line.fact is not None]


def _holes(trace: LogTrace) -> list[tuple[int | None, int | None]]:
    """Return the ends of holes in µs after noon."""
    ends = [(hole.after, hole.before) for hole in trace.holes]
    return [tuple(None if e is None else (e - NOON) // 1000 for e in pair) for pair in ends]  # type: ignore[misc]


# --- times --------------------------------------------------------------------------------------


def test_times_are_exact_to_the_microsecond() -> None:
    trace = read([_insert("m", 1), _insert("n", 59_999_999)])
    assert [line.at.wall_ns for line in trace.lines] == [NOON + 1000, NOON + 59_999_999_000]
    assert (trace.first_ns, trace.last_ns) == (NOON + 1000, NOON + 59_999_999_000)


def test_local_times_are_moved_by_the_offset() -> None:
    trace = read([_insert("m")], utc_offset_s=5 * 3600 + 1800)
    assert trace.lines[0].at.wall_ns == NOON - (5 * 3600 + 1800) * 10**9


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)))
def test_times_agree_with_the_standard_library(moment: datetime) -> None:
    stamp = moment.strftime("%m-%d %H:%M:%S.%f")
    line = f"[{moment.year:04}-{stamp}] app.c: 909:f: *NOTICE*: x".encode()
    passed = moment - datetime(1970, 1, 1)
    expected = ((passed.days * 86400 + passed.seconds) * 10**6 + passed.microseconds) * 1000
    assert read([line]).first_ns == expected


@pytest.mark.parametrize(
    "day", ["2026-13-01 12:00:00", "2026-02-30 12:00:00", "2026-11-22 24:00:00"]
)
def test_time_that_does_not_exist_is_damage(day: str) -> None:
    trace = read([f"[{day}.000000] app.c: 909:f: *NOTICE*: x".encode()])
    assert trace.damage[0].reason == "a time that is none"
    assert not trace.damage[0].loses
    assert len(trace.holes) == 1


def test_times_that_run_back_are_damage_and_a_hole() -> None:
    trace = read([_insert("a", 10), _insert("b", 4), _insert("c", 20)])
    assert [fact.name for fact in _facts(trace)] == ["a", "b", "c"]
    assert [(each.place.line, each.loses) for each in trace.damage] == [(2, False)]
    assert _holes(trace) == [(4, 10)]


# --- facts --------------------------------------------------------------------------------------

FACT_LINES = [
    ("bdev.c:8556:bdev_register: *DEBUG*: Inserting bdev b into list", "registered", ""),
    ("bdev.c:1:spdk_bdev_unregister: *DEBUG*: Removing bdev b from list", "unregistering", ""),
    ("bdev.c:1:bdev_unregister_unsafe: *DEBUG*: Removing bdev b from list done", "unlisted", ""),
    (
        "bdev.c:8190:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: b",
        "lookup failed",
        "",
    ),
    (
        "bdev_raid.c:1:raid_bdev_configure_base_bdev: *DEBUG*: bdev b is claimed",
        "claimed",
        "",
    ),
    (
        "bdev_raid.c:1:raid_bdev_configure_cont: *DEBUG*: "
        "raid bdev is created with name b, raid_bdev 0x5a",
        "raid registered",
        "0x5a",
    ),
    (
        "bdev_raid.c:1:raid_bdev_configure_cont: *ERROR*: "
        "Failed to register raid bdev 'b': File exists",
        "raid register failed",
        "File exists",
    ),
    (
        "bdev_raid.c:1:raid_bdev_configure_write_sb_cb: *ERROR*: "
        "Failed to write raid bdev 'b' superblock: Input/output error",
        "superblock write failed",
        "Input/output error",
    ),
    (
        "bdev_raid.c:1:raid_bdev_examine_cont: *DEBUG*: raid superblock found on bdev b",
        "superblock found",
        "",
    ),
    ("bdev_raid.c:1:raid_bdev_delete: *DEBUG*: delete raid bdev: b", "raid deleted", ""),
    (
        "vbdev_passthru.c: 709:vbdev_passthru_register: *NOTICE*: created pt_bdev for: b",
        "passthru registered",
        "",
    ),
]


@pytest.mark.parametrize(("text", "kind", "detail"), FACT_LINES)
@pytest.mark.parametrize("name", ["b", 'm é😀 "q"', "a, raid_bdev 0x1", "x into list", "l/v': 'x"])
def test_lines_prove_facts_whatever_the_name(text: str, kind: str, detail: str, name: str) -> None:
    head, mark, rest = text.partition("*: ")
    for before in ("bdev ", "bdev '", "name: ", "name ", "bdev: ", "for: "):
        rest = rest.replace(before + "b", before + name, 1)
    trace = read([_line(head + mark + rest)])
    assert _facts(trace) == [Fact(FactKind(kind), name, detail)]
    assert (trace.holes, trace.damage) == ((), ())


@pytest.mark.parametrize("function", ["create_delay_disk", "bdev_passthru_create_disk"])
def test_deferral_names_no_bdev(function: str) -> None:
    text = "vbdev creation deferred pending base bdev arrival"
    trace = read([_line(f"vbdev_delay.c: 902:{function}: *NOTICE*: {text}")])
    assert _facts(trace) == [Fact(FactKind.DEFERRED, "")]


def test_every_kind_of_fact_has_a_row_and_a_line() -> None:
    rows = {row.kind for row in FACT_ROWS}
    assert (
        rows == set(FactKind) == {FactKind(kind) for _, kind, _ in FACT_LINES} | {FactKind.DEFERRED}
    )


@pytest.mark.parametrize(
    "text",
    [
        "bdev.c:1:spdk_bdev_unregister: *DEBUG*: Inserting bdev b into list",
        "bdev.c:1:bdev_register: *ERROR*: Inserting bdev b into list",
        "bdev.c:1:bdev_register: *DEBUG*: Not Inserting bdev b into list",
    ],
)
def test_words_from_another_function_or_level_prove_nothing(text: str) -> None:
    assert _facts(read([_line(text)])) == []


def test_start_of_removal_differs_from_its_end() -> None:
    log = read_log(read_lines(str(CORPUS / "before-fix" / "c1_nodelay_sb.log")), "a")
    order = [fact.kind for fact in _facts(log) if fact.name == "raid1"]
    kinds = ["registered", "raid registered", "unregistering", "unlisted"]
    assert [kind for kind in order if kind in kinds] == kinds


def test_debug_lines_of_the_bdev_layer_prove_that_its_flag_was_on() -> None:
    trace = read(
        [
            _line("bdev.c:8096:bdev_open: *DEBUG*: Opening descriptor 0x5 for bdev m"),
            _line(
                "bdev.c:8190:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: m"
            ),
            _line("vbdev_gpt.c: 473:gpt_bdev_complete: *DEBUG*: Failed to parse mbr"),
            _line("/src/lib/bdev/bdev.c:1:spdk_bdev_first: *DEBUG*: Starting bdev iteration"),
        ]
    )
    assert [(line.function, line.bdev_debug) for line in trace.lines] == [
        ("bdev_open", True),
        ("bdev_open_ext", False),
        ("spdk_bdev_first", True),
    ]
    assert trace.line_count == 4


# --- odd lines ----------------------------------------------------------------------------------


def test_second_record_in_a_line_is_found() -> None:
    first = _line("bdev_malloc.c: 720:create_malloc_disk: *ERROR*: must be greater than 0", 1)
    trace = read([first + _insert("a", 2) + _insert("b", 3)])
    assert [fact.name for fact in _facts(trace)] == ["a", "b"]
    assert {str(line.at.place) for line in trace.lines} == {"a:1"}
    assert trace.holes == ()


def test_text_cut_at_1023_bytes_does_not_hide_the_next_record() -> None:
    cut = _line('request: {"jsonrpc": "2.0", "params": "' + "x" * 1000)
    assert _facts(read([cut + _insert("a", 2)])) == [Fact(FactKind.REGISTERED, "a")]


def test_cut_fact_is_a_hole_at_its_time() -> None:
    trace = read([_insert("a", 1), _insert("b", 2)[:-5], _insert("c", 9)])
    assert [fact.name for fact in _facts(trace)] == ["a", "c"]
    assert [each.reason for each in trace.damage] == ["a cut line"]
    assert _holes(trace) == [(2, 2)]


@pytest.mark.parametrize("rubbish", [b"\xff\xfe", b"\x00", b"\x8b\x05.\xab*response: "])
def test_unreadable_line_with_a_time_is_a_hole_at_that_time(rubbish: bytes) -> None:
    trace = read([_insert("a", 1), _line("", 5) + rubbish, _insert("b", 9)])
    assert _holes(trace) == [(5, 5)]
    assert [(each.place.line, each.loses) for each in trace.damage] == [(2, False)]


def test_unreadable_line_without_a_time_is_a_hole_between_its_neighbours() -> None:
    trace = read([_insert("a", 1), b"\x00\xff", b"\xff", _insert("b", 9)])
    assert _holes(trace) == [(1, 9)]
    assert [each.place.line for each in trace.damage] == [2, 3]


def test_unknown_text_is_a_hole_but_no_damage() -> None:
    trace = read([b"ting bdev z into list", _insert("a", 1), _line("??*response: ", 3), b"tail"])
    assert _holes(trace) == [(None, 1), (3, 3), (3, None)]
    assert trace.damage == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EAL: Detected CPU lcores: 8",
        "spdk_tgt: bdev.c:3903: destroy: Assertion `TAILQ_EMPTY(&ch->io_submitted)' failed.",
        _line("Starting SPDK v26.05 git sha1 abc / DPDK 23.11.0 initialization...", 2).decode(),
        _line("[ DPDK EAL parameters: spdk_tgt --no-shconf ]", 2).decode(),
        _line('request: {"jsonrpc":"2.0","method":"m","id":1}', 2).decode(),
        _line('batch response: [{"jsonrpc":"2.0","id":1,"result":true}]', 2).decode(),
        "00:12:34.567  " + _insert("a", 2).decode(),
    ],
)
def test_known_other_lines_are_no_holes(text: str) -> None:
    trace = read([_insert("a", 1), text.encode(), _insert("b", 9)])
    assert (trace.holes, trace.damage) == ((), ())


def test_carriage_returns_are_no_part_of_the_text() -> None:
    assert _facts(read([_insert("a") + b"\r"])) == [Fact(FactKind.REGISTERED, "a")]


def test_lines_without_times_are_kept_and_open_a_hole() -> None:
    path = CORPUS / "before-fix" / "z2_log_rpcs.log"
    log = read_log(read_lines(str(path)), "a")
    late = [line for line in log.lines if line.at.wall_ns is None]
    assert log.unstamped_count == len(late) == 9
    assert late[0].fact == Fact(FactKind.REGISTERED, "nots0")
    assert [(hole.after, hole.before) for hole in log.holes] == [(log.last_ns, None)]
    assert log.has_timestamps


def test_log_without_any_time_has_no_timestamps() -> None:
    trace = read([b"bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev a into list"])
    assert not trace.has_timestamps
    assert _holes(trace) == [(None, None)]


def test_damage_of_the_source_opens_a_hole() -> None:
    broken = Damage(Place("a", 2), "gzip data is cut", "end", "all", loses=True)
    trace = read_log([(1, _insert("a", 1)), (2, broken)], "a")
    assert trace.damage == (broken,)
    assert _holes(trace) == [(1, None)]


# --- real recordings ----------------------------------------------------------------------------


def test_all_logs_at_hand_are_understood() -> None:
    paths = sorted(RECORDINGS.glob("*/*.log*"))
    if not paths:
        pytest.skip(f"no recordings in {RECORDINGS}")
    reasons: Counter[str] = Counter()
    for path in paths:
        log = read_log(read_lines(str(path)), path.name)
        assert not any(each.loses for each in log.damage), path
        reasons.update(hole.reason for hole in log.holes)
    # The first are the texts that SPDK before v24.09 spoils when they exceed 1023 bytes, the other
    # are the runs that switch time stamps off.
    assert set(reasons) <= {"a line that is no UTF-8", "a line without a time"}


# --- random damage ------------------------------------------------------------------------------


@given(st.data())
def test_damaged_log_never_breaks_the_reader(data: st.DataObject) -> None:
    lines = list(SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        where = data.draw(st.integers(0, len(lines) - 1))
        line = lines[where]
        at = data.draw(st.integers(0, len(line)))
        rubbish = data.draw(st.binary(max_size=8)).replace(b"\n", b"")
        lines[where] = line[:at] + rubbish + line[at + data.draw(st.integers(0, 8)) :]
    log = read(lines)
    assert log.line_count == len(lines)
    assert all(hole.after is None or hole.before is None or hole.after <= hole.before
               for hole in log.holes)  # fmt: skip


@given(where=st.integers(0, len(SMALL) - 1), at=st.integers(1, 120))
def test_line_cut_short_is_seen_or_lost_no_fact(where: int, at: int) -> None:
    """What this cannot see: lines lost whole, and cuts of a name at the end of a text."""
    lines = list(SMALL)
    lines[where] = lines[where][:at]
    before, after = read(SMALL), read(lines)
    lost = len(_facts(before)) - len(_facts(after))
    assert lost == 0 or len(after.holes) > len(before.holes)
