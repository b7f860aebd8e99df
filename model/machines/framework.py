"""The life of the application framework, as far as RPC methods depend on it.

Sources: LIFECYCLE 1.9, 2.8, 6.1; rpc_framework_start_init (lib/event/app.c:1596) and
rpc_framework_start_init_cpl (1578), the test of a method's mask (lib/rpc/rpc.c:103-140) of SPDK
v26.05. While *initialising* the RPC server is paused: nothing is read and nothing sent, but what
was read in the same pass as framework_start_init is still carried out, in STARTUP state. *booting*
is initialisation without --wait-for-rpc: nobody asked for it, and nobody is served before its end.

Choices. A target whose initialisation failed sends its replies or stops before that: v26.05 resumes
the server for it, older versions do not (LIFECYCLE 2.8), and no parameter of a variant tells them
apart. *hung* is an initialisation of which a module never reports the end.
"""

from bdevcheck.model.machine import declare

FRAMEWORK = declare(
    "framework",
    [
        "starting",
        "startup",
        "initialising",
        "booting",
        "hung",
        "runtime",
        "failed",
        "finishing",
        "stopped",
    ],
    [
        # With --wait-for-rpc the target waits in STARTUP, otherwise it initialises itself.
        ("wait_for_rpc", "starting", "startup"),
        ("boot", "starting", "booting"),
        ("start_init", "startup", "initialising"),
        ("finish_init", "initialising", "runtime"),
        ("finish_boot", "booting", "runtime"),
        ("fail_init", "initialising", "failed"),
        ("fail_boot", "booting", "failed"),
        ("hang", ["initialising", "booting"], "hung"),
        ("stop", ["startup", "runtime"], "finishing"),
        ("give_up", "failed", "finishing"),
        ("exit", "finishing", "stopped"),
        # Tests: what a method's mask allows where requests are carried out, and what is served.
        ("allows_startup", ["startup", "initialising"], "="),
        ("refuses_startup", "runtime", "="),
        ("allows_runtime", "runtime", "="),
        ("refuses_runtime", ["startup", "initialising"], "="),
        ("reads", ["startup", "runtime"], "="),
        ("sends", ["startup", "runtime", "failed"], "="),
    ],
    resting=["startup", "runtime", "stopped"],
    about="the framework: waiting for its start, initialising, serving, stopping",
)
