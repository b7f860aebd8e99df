"""Files that commands write: never over what is read, and there as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click


def protect(inputs: Iterable[str], output: str, *, force: bool) -> None:
    """Refuse to write over what is read, ever, and over what is there unless that is asked for."""
    from bdevcheck.command.intake import real_path

    if real_path(output) in {real_path(path) for path in inputs}:
        raise click.BadParameter(f"{output} is an input")
    if os.path.exists(output) and not os.path.isfile(output):
        raise click.BadParameter(f"{output} is no regular file")
    refuse_existing(output, force=force)


def refuse_existing(output: str, *, force: bool) -> None:
    """Refuse to write over what is there unless that is asked for."""
    if not force and os.path.lexists(output):
        raise click.BadParameter(f"{output} is there already; --force overwrites it")


def write_lines(output: str, lines: Iterable[bytes], *, force: bool) -> None:
    """Write lines to a file, which is there when all of it is written."""
    with _beside(Path(output)) as stream:
        stream.writelines(line + b"\n" for line in lines)
        stream.flush()
        refuse_existing(output, force=force)  # it may have come meanwhile


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of `path` at the end, and is gone if that does not come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        with part.open("xb") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
