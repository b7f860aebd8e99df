"""The target's process: it runs until a step that no handler survives.

Sources: LIFECYCLE 3.6, 9.7. Debug builds abort on an assertion; release builds use freed memory
instead, after which nothing can be relied on. Both are *aborted* here.
"""

from bdevcheck.model.machine import declare

TARGET = declare(
    "target",
    ["running", "aborted"],
    [
        ("abort", "running", "aborted"),
        ("is_running", "running", "="),
        ("is_aborted", "aborted", "="),
    ],
    about="the target's process: running, or aborted",
)
