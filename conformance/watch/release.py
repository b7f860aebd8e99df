"""Releases: which version of SPDK the target says that it is.

What a version refuses is known of the versions that the catalogue was read from. A target that does
not tell its version is taken for one of them; what is known of none of them proves nothing.
"""

from __future__ import annotations

from enum import StrEnum

from bdevcheck.conformance.call import Call
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.template import value_of
from bdevcheck.model.variant import VERSIONS


class Known(StrEnum):
    """What is known of the target's version."""

    UNTOLD = "untold"
    READ = "read"
    FOREIGN = "foreign"


class Release:
    """The version that the target last told; `name` is one of `VERSIONS` where `known` is READ."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Take the target for any version again."""
        self.known = Known.UNTOLD
        self.name = ""

    def told_by(self, call: Call) -> None:
        """Take note of what a reply says of the version, if it does."""
        if call.method is None or not tells_version(call.method) or call.ambiguous:
            return
        if call.succeeded:
            self.name = version_in(call.result)
            self.known = Known.READ if self.name in VERSIONS else Known.FOREIGN


def tells_version(method: Method) -> bool:
    """Tell whether a reply of this method says which version the target is."""
    return method.tells == "version"


def version_in(result: object) -> str:
    """Return the version that a result tells, as `VERSIONS` writes it, or else as it stands.

    Development versions go by their commit, releases by their number (a release that was patched
    later is another one).

    >>> version_in({"version": "SPDK v26.05 git sha1 d519b163cb",
    ...             "fields": {"major": 26, "minor": 5, "patch": 0, "suffix": ""}})
    'v26.05'
    """
    fields = value_of(result, "fields")
    commit, suffix = value_of(fields, "commit"), value_of(fields, "suffix")
    numbers = [value_of(fields, name) for name in ("major", "minor", "patch")]
    if isinstance(commit, str):
        for version in VERSIONS:
            if commit.startswith(version):
                return version
    if suffix == "" and all(number in range(100) for number in numbers) and not numbers[2]:
        return f"v{numbers[0]:02}.{numbers[1]:02}"
    text = value_of(result, "version")
    return text if isinstance(text, str) else "a version that it does not name"
