"""A client that makes one call after another, each when the previous one is answered."""

from bdevcheck.model.machine import Machine, declare


def script(calls: int) -> Machine:
    """Return the client of a script of `calls` calls; it rests at the end, or where it gave up.

    Event ``call_<i>`` sends call i (from 1), ``answer_<i>`` takes its reply.
    """
    states = ["start"]
    rows = []
    for number in range(1, calls + 1):
        states += [f"waits_{number}", f"done_{number}"]
        rows.append((f"call_{number}", states[-3], f"waits_{number}"))
        rows.append((f"answer_{number}", f"waits_{number}", f"done_{number}"))
    return declare("script", states, rows, resting=states[-1:], about="a client that runs a script")
