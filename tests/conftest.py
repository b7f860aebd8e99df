"""Fixtures and options that all tests share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Derandomised: a test that passes here passes everywhere, and a failure is there again next time.
settings.register_profile(
    "default", derandomize=True, max_examples=50, deadline=None, database=None
)
settings.register_profile(
    "long",
    max_examples=2000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # long forms are slow on purpose
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        help="also run tests marked slow, and give Hypothesis many random examples",
    )
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the golden files of tests/golden anew instead of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if config.getoption("--long") else "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="a long form: needs --long"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of recordings and references beside the tree; skip where there is none."""
    folder = ROOT.parent / "shared"
    if not (folder / "recordings").is_dir():
        pytest.skip("needs ../shared/recordings, which is not part of the project")
    return folder
