"""What a handler raises where it cannot go on."""

from __future__ import annotations

from bdevcheck.model.catalogue.method import ERRNO


class Refused(Exception):  # noqa: N818  (an answer, not an error of the program)
    """The call is answered with an error. Without a message, it is the text of the error number."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message or ERRNO[code][1]
        super().__init__(code, self.message)


class Aborted(Exception):  # noqa: N818  (what a target does, not an error of the program)
    """The target ends here, as a real one would by an assertion or a fault of memory.

    `args[0]` is the line that the real target's C library writes.
    """
