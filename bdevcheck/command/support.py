"""What the commands share: exit codes, names given by the user, output, progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bdevcheck.model.variant import VARIANTS, Variant, variant_of

if TYPE_CHECKING:
    import graphviz
    from rich.text import Text

    from bdevcheck.model.compose import System
EXIT_FAILS, EXIT_USAGE, EXIT_UNDECIDED, EXIT_INTERNAL = 1, 2, 3, 70
EXIT_INTERRUPTED, EXIT_PIPE = 130, 141  # 128 + SIGINT, 128 + SIGPIPE: what a shell says


def drawable(_context: click.Context, _option: click.Parameter, path: str | None) -> Path | None:
    """Refuse a picture of an unknown format before the work, not after it."""
    if path is None:
        return None
    from bdevcheck.diagrams.render import FORMATS

    if Path(path).suffix.lower() not in {f".{each}" for each in FORMATS}:
        allowed = ", ".join(f".{each}" for each in FORMATS)
        raise click.BadParameter(f"{path!r} does not end in one of: {allowed}")
    return Path(path)


_T = TypeVar("_T")


def system_of(name: str, variant: Variant) -> System:
    """Return the system of this name, or the one in the file `name` if it ends in ``.json``."""
    from bdevcheck.model.machines import MACHINES
    from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS

    if name.endswith(".json"):
        return _read_system(name)
    builders = {**SYSTEMS, **LARGE_SYSTEMS}
    if name in MACHINES:
        raise click.BadParameter(f"{name} is a machine, not a system")
    return named(name, builders)(variant)


def _read_system(name: str) -> System:
    from bdevcheck.model.export import FormatError, document

    try:
        return document.read(Path(name).read_bytes())
    except FormatError as error:
        raise click.UsageError(f"{name}: {error}") from error


def settings(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, bool]:
    """Read ``PARAMETER=true|false``, of an option that may be repeated."""
    words = {"true": True, "false": False}
    found: dict[str, bool] = {}
    for each in values:
        name, _, word = each.partition("=")
        if word not in words:
            raise click.BadParameter(f"{each!r} is not PARAMETER=true or PARAMETER=false")
        found[name] = words[word]
    return found


def variant_options(command: Callable[..., _T]) -> Callable[..., _T]:
    """Give a command ``--variant`` and ``--set``; it is called with one `Variant`."""

    @wraps(command)
    def called(*args: object, variant: str, settings: dict[str, bool], **others: object) -> _T:
        try:
            chosen = variant_of(variant, settings)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        return command(*args, variant=chosen, **others)

    bundles = "; ".join(f"{each.name} = {each.about}" for each in VARIANTS.values())
    name = click.option(
        "--variant",
        type=click.Choice(list(VARIANTS)),
        default="modern",
        show_default=True,
        help=f"Which version of SPDK: {bundles}",
    )
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        callback=settings,
        metavar="PARAMETER=true|false",
        help="Change one parameter of the variant; may be repeated. "
        "`bdevcheck catalogue --variants` lists them.",
    )
    return name(setting(called))


def named(name: str, known: Mapping[str, _T]) -> _T:
    """Return what is known by this name, or say which names there are."""
    if name not in known:
        raise click.BadParameter(f"no {name!r}; there are: {', '.join(known)}")
    return known[name]


def write_picture(
    picture: graphviz.Digraph, path: Path, write: Callable[[graphviz.Digraph, Path], Path]
) -> Path:
    """Write a picture; what stands in the way is the user's to mend, so it is a usage error."""
    from bdevcheck.diagrams.render import RenderError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write(picture, path)
    except (ValueError, OSError, RenderError) as error:
        raise click.UsageError(str(error)) from error


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines of a report, each as long as it is."""
    from rich.console import Console

    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)


@contextmanager
def search_progress(bounds: str = "") -> Iterator[Callable[[int, int, int], None]]:
    """Show states, steps, rate and frontier of a search that takes more than a second."""
    with _status() as say:
        begun = time.monotonic()

        def update(states: int, steps: int, left: int) -> None:
            elapsed = max(time.monotonic() - begun, 0.001)
            say(
                f"exploring: {states:,} states, {steps:,} steps in {elapsed:.0f} s "
                f"({states / elapsed:,.0f} states/s), {left:,} to expand; {bounds}"
            )

        yield update


@contextmanager
def deciding_progress() -> Iterator[Callable[[str], None]]:
    """Show which property is being decided: of a large search each may take a minute."""
    with _status(delay_s=0) as say:
        yield lambda name: say(f"deciding: {name}")


@contextmanager
def progress(verb: str, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a run is that takes more than a second; 0 in all: nobody knows."""
    with _status() as say:
        begun = time.monotonic()

        def update(done: int, total: int) -> None:
            elapsed = time.monotonic() - begun
            of_all = f" of {total:,}" if total else ""
            say(f"{verb}: {done:,}{of_all} {what} in {elapsed:.0f} s")

        yield update


@contextmanager
def _status(delay_s: float = 1) -> Iterator[Callable[[str], None]]:
    """Show a line that changes, after a while, where a person watches."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _line: None
        return
    begun = time.monotonic()
    with console.status("") as status:
        status.stop()

        def say(line: str) -> None:
            if time.monotonic() - begun >= delay_s:
                status.start()
                status.update(line)

        yield say
