"""What tests ask of findings: verdicts, and that what is shown is a run of the system."""

from itertools import pairwise

from hypothesis import strategies as st

from bdevcheck.model.compose import System
from bdevcheck.model.explore import explore
from bdevcheck.model.expression import Expression, at
from bdevcheck.model.path import Path
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.verify import Finding, decide

from .toys import naive_steps


def decided(system: System, claim: Property, max_states: int = 1000) -> Finding:
    return decide(explore(system, max_states=max_states), claim)


def holds(system: System, claim: Property) -> bool | None:
    return decided(system, claim).holds


def shown(system: System, claim: Property) -> Path:
    """Return the path of a finding, having checked that it is a run from the initial state."""
    path = decided(system, claim).path
    assert path is not None
    assert_is_a_run(system, path)
    return path


def assert_is_a_run(system: System, path: Path) -> None:
    assert not path.steps or path.steps[0].before == system.initial
    assert all(one.after == two.before for one, two in pairwise(path.steps))
    for step in path.steps:
        assert (step.vector.label, step.after) in naive_steps(system, step.before)
    if path.loop:
        assert path.steps[-path.loop].before == path.steps[-1].after


def some_states(system: System) -> st.SearchStrategy[Expression]:
    pairs = [(name, state) for name, m in system.components.items() for state in m.states]
    one = st.sampled_from(pairs).map(lambda pair: at(*pair))
    return st.one_of(
        one, st.tuples(one, one).map(lambda two: two[0] & two[1]), one.map(lambda e: ~e)
    )


def claims(system: System) -> st.SearchStrategy[Property]:
    one = some_states(system)
    return st.one_of(
        one.map(lambda p: always("p", p)),
        one.map(lambda p: sometimes("p", p)),
        st.tuples(one, one).map(lambda two: leads_to("p, q", *two)),
        st.just(no_deadlock()),
    )
