"""What exports refuse."""

from __future__ import annotations


class ExportError(ValueError):
    """What was asked for cannot be written in this format; the text says why, and what can be."""


class FormatError(ValueError):
    """A file is not what its format allows; says where, what was found, and what may be there."""
