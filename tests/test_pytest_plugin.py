"""The pytest plugin, used as somebody's own tests use it."""

import pytest

pytest_plugins = ["pytester"]

TEST = """
    import json, socket, time

    def ask(path, method, **params):
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(path)
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            link.sendall(json.dumps(request).encode())
            data = b""
            while not data.endswith(b"\\n"):
                data += link.recv(65536)
            return json.loads(data)

    def test_raid(bdevcheck_socket):
        slow = {f"{a}_{b}_latency": 1000000 for a in ("avg", "p99") for b in ("read", "write")}
        for n in (0, 1):
            size = {"num_blocks": 131072, "block_size": 512}
            ask(bdevcheck_socket, "bdev_malloc_create", name=f"m{n}", **size)
            ask(bdevcheck_socket, "bdev_delay_create", name=f"d{n}", base_bdev_name=f"m{n}", **slow)
        ask(bdevcheck_socket, "bdev_raid_create", name="r", raid_level="raid1",
            base_bdevs=["d0", "d1"], superblock=True)
        ask(bdevcheck_socket, "bdev_lvol_create_lvstore", bdev_name="r", lvs_name="l")
"""


def ran(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest with this plugin alone, installed or not."""
    return pytester.runpytest_subprocess("-p", "bdevcheck.pytest_plugin", *arguments)


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize(("variant", "outcome"), [("buggy", "errors"), ("modern", "passed")])
def test_own_test_fails_where_the_target_answers_too_early(
    pytester: pytest.Pytester, variant: str, outcome: str
) -> None:
    pytester.makepyfile(TEST)
    done = ran(pytester, "--bdevcheck-variant", variant)
    counts = done.parseoutcomes()
    assert counts.get(outcome) == 1, done.stdout.str()
    if variant == "buggy":
        done.stdout.fnmatch_lines(["*create-after-register: bdev_raid_create answered success*"])


def test_help_names_the_options(pytester: pytest.Pytester) -> None:
    done = ran(pytester, "--help")
    done.stdout.fnmatch_lines(["*--bdevcheck-socket=PATH*"])


SEARCH = """
    def test_random_calls(bdevcheck_search):
        methods = ("bdev_malloc_create", "bdev_malloc_delete", "bdev_get_bdevs")
        bdevcheck_search(runs=3, steps=5, methods=methods, connections=1)
"""


def test_random_calls_to_the_target_are_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SEARCH)
    done = ran(pytester)
    assert done.parseoutcomes() == {"passed": 1}, done.stdout.str()
