"""Work for worker processes in tests: it has to be imported by them."""

from __future__ import annotations

import os
import signal
import time


def double(number: int) -> int:
    return 2 * number


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return 2 * number


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def leave_at_three(number: int) -> int:
    if number == 3:
        os._exit(9)
    return 2 * number


def give_what_cannot_be_sent(number: int) -> object:
    return (lambda: number) if number == 3 else number


def take_long(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()
