"""`bdevcheck compare`: exit codes, options, what is printed, and what is said of wrong usage."""

import inspect
import json
import re

import pytest

from bdevcheck.cli import main
from bdevcheck.command.compare import compare as command
from bdevcheck.contrast import Asked, document_of, lines_of
from bdevcheck.model.compare import Bounds, Relation, compare
from bdevcheck.model.compose import System, vector
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

from .command import Done, Run
from .test_model_compare_systems import ASK, SERVES, asking, decides_early, decides_late
from .toys import counter

EARLY = "create-after-register"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(["compare", *arguments])
        return Done(code, *capsys.readouterr())

    return done


def only(done: Done) -> dict[str, object]:
    """Return what a run printed as JSON, having checked that it printed nothing else."""
    assert done.err == ""
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


# --- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "last"),
    [
        ("", 1, "Observable behaviours (language): they differ."),
        ("--left fixed --right modern", 0, "Observable behaviours (language): the same within"),
        (f"--without {EARLY}", 0, f"the same within these bounds, apart from what breaks {EARLY}."),
        ("--max-states 306", 3, "Observable behaviours (language): not decided within"),
        ("--relation branching --without create-after-register", 0, "(branching): the same"),
        ("--relation weak", 1, "Observable behaviours (weak): they differ."),
    ],
)
def test_exit_code_and_last_line_say_the_same(run: Run, options: str, code: int, last: str) -> None:
    done = run("issue-3413", *options.split())
    assert (done.code, done.err) == (code, "")
    assert last in done.out.splitlines()[-1]
    data = run("issue-3413", "--json", *options.split())
    relation = only(data)["relation"]
    assert isinstance(relation, str)
    same = only(data)["same"]
    assert isinstance(same, dict)
    assert (data.code, same[relation]) == (code, {0: True, 1: False, 3: None}[code])


def test_the_fix_is_compared_unless_told_otherwise(run: Run) -> None:
    assert run("issue-3413") == run("issue-3413", "--left", "buggy", "--right", "fixed")


def test_defaults_and_choices_are_those_of_the_comparison() -> None:
    options = {each.name: each for each in command.params}
    assert options["max_states"].default == Bounds().max_states
    assert list(getattr(options["relation"].type, "choices", ())) == [str(r) for r in Relation]
    assert inspect.signature(compare).parameters["silence"].default is options["silence"].default


# --- text ----------------------------------------------------------------------------------------


def test_the_text_says_what_was_compared_and_how_far(run: Run) -> None:
    out = run("issue-3413", "--without", EARLY).out
    counts = only(run("issue-3413", "--without", EARLY, "--json"))
    for side in ("left", "right"):
        told = counts[side]
        assert isinstance(told, dict)
        assert f"): {told['states']:,} states, {told['steps']:,} steps\n" in out
    observations = counts["observations"]
    assert isinstance(observations, list)
    assert f"{len(observations)} different observations" in out
    assert "bounds: 250,000 states a side, 30,000 classes, 500,000 pairs" in out
    assert f"left out: what breaks {EARLY}: vectors: " in out
    assert SYSTEMS["issue-3413"](VARIANTS["buggy"]).about in out


def test_the_run_is_explained_and_what_the_other_side_does_instead(run: Run) -> None:
    out = run("issue-3413").out
    assert "Only buggy shows this (14 observations in 29 steps; no trace is shorter):" in out
    assert len(re.findall(r"^ *\d+ ▸ ", out, re.MULTILINE)) == 14
    assert "seen: rpc5: send_ok, script: answer_5" in out  # of the client
    assert "raid1: allocated → examining" in out  # and behind it
    assert "     where fixed can only show: rpc7: send_ok, script: answer_7\n" in out
    assert "traces of buggy that fixed lacks: 1 ending; of fixed that buggy lacks: none" in out


def test_sides_swap(run: Run) -> None:
    out = run("issue-3413", "--left", "fixed", "--right", "buggy").out
    assert "traces of fixed that buggy lacks: none; of buggy that fixed lacks: 1 ending" in out
    assert "Only buggy shows this (14 observations" in out


def test_a_parameter_is_changed_on_one_side(run: Run) -> None:
    option = "raid_create_early_reply=false"
    done = run("issue-3413", "--set-left", option)
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "issue-3413: buggy -raid_create_early_reply against fixed",
    )
    assert run("issue-3413", "--set-right", option).code == 1
    late = "raid_create_early_reply=true"
    assert run("issue-3413", "--set-right", late, "--left", "fixed").code == 1


def test_a_bound_that_was_reached_is_shouted(run: Run) -> None:
    out = run("issue-3413", "--max-states", "306").out
    (left,) = [line for line in out.splitlines() if line.startswith("  left ")]
    (right,) = [line for line in out.splitlines() if line.startswith("  right ")]
    assert left.endswith(" - BOUND REACHED, not all was searched")
    assert right.endswith("306 states, 917 steps")
    assert "none found" in out


# --- what no small system of ours shows: toys ----------------------------------------------------

ANY = VARIANTS["fixed"]


def told(left: System, right: System, *, verbose: bool = False, silence: bool = True) -> list[str]:
    asked = Asked((ANY, ANY), (left, right), (), silence, Relation.WEAK)
    found = compare(left, right, silence=silence)
    return [line.plain for line in lines_of(found, asked, verbose=verbose)]


def test_what_no_trace_shows_is_said_as_a_formula() -> None:
    lines = told(decides_late(), decides_early())
    begin = lines.index("No trace tells them apart, but the choices left do: fixed, and not fixed,")
    assert lines[begin + 1] == "   can show client: call_1, rpc: receive so that then it"
    assert lines[begin + 2].startswith("       can show client: answer_1, rpc: send_")
    assert lines[-1] == "Observable behaviours (weak): they differ."
    asked = Asked((ANY, ANY), (decides_late(),) * 2, (), True, Relation.WEAK)
    formula = document_of(compare(decides_late(), decides_early()), asked)["formula"]
    assert isinstance(formula, dict)
    assert (formula["label"], formula["denied"]) == ("client: call_1, rpc: receive", False)


def test_other_endings_are_shown_in_full_only_if_asked_for() -> None:
    # The left one answers at all; the right one never does.
    answers, never = asking(ASK, *SERVES), asking(ASK)
    short, long = told(answers, never), told(answers, never, verbose=True)
    assert sum(line.startswith("Only fixed shows this") for line in short) == 2  # one a side
    (more,) = [line for line in short if line.startswith("Also only fixed: ")]
    assert more.endswith("(2 observations in 3 steps; --verbose shows them)")
    assert sum(line.startswith("Only fixed shows this") for line in long) == 3
    assert f"{2:>3} ▸ (quiet: nothing more comes)" in long
    assert not any("quiet" in line for line in told(answers, never, silence=False))


def test_hidden_runs_for_ever_are_said(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    spin = vector("spin", {"rpc": "is_pending"})
    busy = asking(ASK, vector("take", {"rpc": "handle"}), spin)
    monkeypatch.setitem(SYSTEMS, "busy", lambda _variant: busy)
    assert "from 2 states a run may stay hidden for ever, which is not seen" in run("busy").out
    assert "stay hidden" not in run("issue-3413").out


# --- wrong usage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("nope", ["no 'nope'; there are:", *SYSTEMS]),
        ("", ["Missing argument 'SYSTEM'"]),
        ("issue-3413 --left nope", ["'nope' is not one of", *VARIANTS]),
        ("issue-3413 --set-right nope=true", ["--set-right", "no parameter 'nope'; there are:"]),
        ("issue-3413 --set-left rpc_batch=1", ["'rpc_batch=1' is not PARAMETER=true or"]),
        ("issue-3413 --without nope", ["'nope' is not one of", EARLY]),
        ("issue-3413 --relation nope", ["'nope' is not one of", *Relation]),
        ("issue-3413 --max-states 0", ["0 is not in the range", "x>=1"]),
    ],
)
def test_wrong_usage_says_what_is_allowed(run: Run, arguments: str, words: list[str]) -> None:
    done = run(*arguments.split())
    assert (done.code, done.out) == (2, "")
    assert [word for word in words if word not in done.err] == []


def test_a_system_that_shows_nothing_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setitem(SYSTEMS, "counter", lambda _variant: counter(3))
    done = run("counter")
    assert (done.code, done.out) == (2, "")
    assert "counter of 3: a client sees nothing of it; components: digit" in done.err
