"""Every rule has a page, the page says what the rule says, and its examples are what is printed."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.model.rule import JUDGED, RULES
from tests.command import ROOT

PAGES = ROOT / "docs" / "rules"
SECTIONS = [
    "What it says",
    "Source",
    "What a violation looks like",
    "What evidence decides it",
    "Known exceptions",
    "Blind spots",
]
_EXAMPLES = SECTIONS[2]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = "$ bdevcheck "
_BESIDE = "../shared/"


@dataclass(frozen=True)
class Example:
    """A command of a page, what it shall print, and the files that the page gives it."""

    arguments: list[str]
    shown: str
    given: dict[str, str]


def page_of(rule: str) -> str:
    """Return the text of a page."""
    return (PAGES / f"{rule}.md").read_text(encoding="utf-8")


def sections_of(text: str) -> dict[str, str]:
    """Return the sections below the title, by heading, in order; blocks are no headings."""
    bare = _BLOCK.sub(lambda block: re.sub(r"^#", "\0", block[0], flags=re.MULTILINE), text)
    parts = re.split(r"^## (.*)\n", bare, flags=re.MULTILINE)[1:]
    bodies = [part.replace("\0", "#") for part in parts[1::2]]
    return dict(zip(parts[::2], bodies, strict=True))


def examples_in(text: str) -> Iterator[Example]:
    """Yield the commands of a text, each with the files given before it."""
    given: dict[str, str] = {}
    for language, name, body in _BLOCK.findall(text):
        if name:
            given[name] = body
        elif language == "console" and body.startswith(_COMMAND):
            command, _, shown = body.partition("\n")
            yield Example(shlex.split(command[len(_COMMAND) :]), shown, dict(given))


def squeezed(text: str) -> str:
    """Return a text on one line, without the marks around code."""
    return " ".join(text.replace("`", "").split())


# -- the pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_page_has_its_title_and_sections_in_order(rule: str) -> None:
    text = page_of(rule)
    assert text.startswith(f"# {rule}\n")
    sections = sections_of(text)
    assert list(sections) == SECTIONS
    assert [name for name, body in sections.items() if not body.strip()] == []


@pytest.mark.parametrize("rule", RULES)
def test_page_says_what_the_rule_says_and_where_it_stands(rule: str) -> None:
    sections = sections_of(page_of(rule))
    assert squeezed(RULES[rule].says) in squeezed(sections["What it says"])
    assert squeezed(RULES[rule].source) in squeezed(sections["Source"])


@pytest.mark.parametrize("rule", RULES)
def test_page_names_the_known_exceptions_of_the_rule(rule: str) -> None:
    said = squeezed(sections_of(page_of(rule))["Known exceptions"])
    assert squeezed(RULES[rule].known).lower() in said.lower()


@pytest.mark.parametrize("rule", JUDGED)
def test_page_of_a_judged_rule_shows_a_violation(rule: str) -> None:
    examples = list(examples_in(sections_of(page_of(rule))[_EXAMPLES]))
    worst = "UNDECIDED" if RULES[rule].open_ended else "VIOLATES"
    assert any(example.shown.startswith(worst) for example in examples)


@pytest.mark.parametrize("rule", RULES)
def test_examples_are_what_is_printed_now(
    rule: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for example in examples_in(page_of(rule)):
        beside = [ROOT / each for each in example.arguments if each.startswith(_BESIDE)]
        if not all(path.exists() for path in beside):
            pytest.skip("needs ../shared/recordings, which is not part of the project")
        for name, text in example.given.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path if example.given else ROOT)
        main(example.arguments)
        assert capsys.readouterr().out == example.shown


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in sorted(PAGES.glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_page_names_a_rule_that_is_not_there() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} <= set(RULES)


# -- the index -----------------------------------------------------------------------------------


def test_index_has_a_line_for_each_rule_in_order_of_report() -> None:
    rows = [line for line in page_of("README").splitlines() if line.startswith("| [")]
    assert rows == [f"| [{each.name}]({each.name}.md) | {each.says} |" for each in RULES.values()]


# -- what reads the pages --------------------------------------------------------------------------


def test_blocks_are_no_headings_and_files_are_given_before_the_command() -> None:
    text = "# r\n\n## A\n\n```jsonl t\n## no\n```\n\n```console\n$ bdevcheck check t\nout\n```\n"
    assert list(sections_of(text)) == ["A"]
    assert list(examples_in(text)) == [Example(["check", "t"], "out\n", {"t": "## no\n"})]
