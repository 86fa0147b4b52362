"""What all tests share: an installation of their own, the choice of database, no network.

``LIANGZHU_TEST_DATABASE=postgresql`` runs the suite on a PostgreSQL that is started for this run, otherwise on a
SQLite file: in memory, threads would share one cache and meet locks that a real installation does not know. Settings
of the person at the keyboard do not reach the tests.
"""

import atexit
import json
import os
import re
import shutil
import socket
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Everything up to django.setup() must come first: pytest-django and the conftest files below import models.
_stack = ExitStack()
atexit.register(_stack.close)

for _name in [name for name in os.environ if name.startswith("LIANGZHU_") and "_TEST_" not in name]:
    del os.environ[_name]
_home = tempfile.mkdtemp(prefix="liangzhu-test-")
_stack.callback(shutil.rmtree, _home, ignore_errors=True)
os.environ["LIANGZHU_HOME"] = _home
os.mkdir(os.path.join(_home, "static"))

_choice = os.environ.get("LIANGZHU_TEST_DATABASE", "sqlite")
if _choice == "postgresql":
    # The first process starts the server; the workers of xdist find its address in their environment.
    if "LIANGZHU_TEST_ADDRESS" not in os.environ:
        from postgres import server  # tools/postgres.py

        os.environ["LIANGZHU_TEST_ADDRESS"] = _stack.enter_context(server())
        # Analysed while it holds nothing but rows that tests rolled back, a table counts as empty for good: joins over it
        # become loops over all that is dead. `no_dead_rows` cleans up instead.
        with psycopg.connect(os.environ["LIANGZHU_TEST_ADDRESS"], autocommit=True) as _link:
            _link.execute("ALTER SYSTEM SET autovacuum = off")
            _link.execute("SELECT pg_reload_conf()")
    os.environ["LIANGZHU_DATABASE"] = os.environ["LIANGZHU_TEST_ADDRESS"]
elif _choice != "sqlite":
    raise pytest.UsageError(f"LIANGZHU_TEST_DATABASE={_choice!r}: expected sqlite or postgresql")

os.environ["DJANGO_SETTINGS_MODULE"] = "liangzhu.site.settings"

import django  # noqa: E402
from hypothesis import settings as hypothesis_settings  # noqa: E402

django.setup()

# A loaded machine is slow, not wrong. In CI the examples are the same in every run; at the desk they look further.
hypothesis_settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis_settings.load_profile("house")

from django.db import connections  # noqa: E402
from django.test import SimpleTestCase  # noqa: E402

_MIGRATED = Path(_home) / "migrated"
if _choice == "sqlite":
    connections.settings["default"]["TEST"]["NAME"] = os.path.join(_home, "test.sqlite3")


# With several workers whole files are handed out in the order in which they stand here: what takes a minute must not begin
# when the others are done. What drives a browser or starts the program follows, then the files with most tests.
_LONGEST = ("tests/site/test_kill.py", "tests/work/test_generated_kinds.py", "tests/site/test_backup.py")
# What a test that needs no database has in its closure if it needs one after all.
_DATABASE = {"db", "transactional_db", "django_db_setup", "live_server"}
_BY_ITSELF = re.compile(
    r"subprocess|Popen|multiprocessing|psycopg|sqlite3|killing|django_db_blocker|os\.environ|LIANGZHU_|postgres import"
)


@cache
def _starts_something(file: Path) -> bool:
    """Whether a file of tests may start processes or connect by itself, past pytest-django."""
    return bool(_BY_ITSELF.search(file.read_text(encoding="utf-8")))


def _without_database(item) -> bool:
    """Whether a test cannot reach a database: pytest-django keeps it shut, and nothing is started beside the test.

    `shut` holds such tests to it wherever they run.
    """
    return not (
        item.get_closest_marker("django_db")
        or _DATABASE & set(item.fixturenames)
        or issubclass(getattr(item, "cls", None) or object, SimpleTestCase)
        or _starts_something(item.path)
    )


def _in_turn(items) -> None:
    missing = [name for name in _LONGEST if not (ROOT / name).is_file()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py names files that are not there: {missing}")
    tests = Counter(one.path for one in items)
    apart = {one.path for one in items if one.get_closest_marker("browser")}

    def turn(item):
        name = item.path.relative_to(ROOT).as_posix()
        place = _LONGEST.index(name) if name in _LONGEST else len(_LONGEST)
        return place, not (item.path in apart or "site" in item.path.parts), -tests[item.path], name

    items.sort(key=turn)


def pytest_collection_modifyitems(config, items):
    """Among workers the longest first; on PostgreSQL nothing that cannot tell the databases apart: what brings a SQLite installation of
    its own, and what opens no database at all, has said it on SQLite.
    """
    if hasattr(config, "workerinput"):
        _in_turn(items)
    if _choice == "postgresql":
        left = [one for one in items if one.get_closest_marker("own_sqlite") or _without_database(one)]
        config.hook.pytest_deselected(items=left)
        gone = set(left)
        items[:] = [one for one in items if one not in gone]


_REFUSED = "a test without a database starts a process or connects: mark it django_db"
_starting: list = []
_STARTS = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "sqlite3.connect",
}


def _heard(event: str, given: tuple) -> None:
    if _starting and event in _STARTS:
        raise AssertionError(_REFUSED)


# What a process is started with says so to the interpreter, whatever name it was imported by; a hook cannot be taken away.
sys.addaudithook(_heard)


def pytest_fixture_setup(fixturedef, request):
    """As `shut`: who asks for the database in passing says so in the list of what it needs."""
    if fixturedef.argname in ("db", "transactional_db", "_django_db_helper") and _without_database(
        request.node
    ):
        raise AssertionError("a test without a database asks for one in passing: mark it django_db")


@pytest.fixture(autouse=True)
def shut(request):
    """A test that is left out on PostgreSQL because it needs no database starts nothing that could open one."""
    if not _without_database(request.node):
        yield
        return

    def refused(*words, **named):
        raise AssertionError(_REFUSED)

    _starting.append(request.node)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg, "connect", refused)
            yield
    finally:
        _starting.clear()


@pytest.fixture(autouse=True, scope="module")
def no_dead_rows():
    """On PostgreSQL each file begins with tables that are as small as they look."""
    yield
    given = connections["default"].settings_dict
    if _choice != "postgresql" or not str(given["NAME"]).startswith("test_"):
        return
    address = urlsplit(os.environ["LIANGZHU_TEST_ADDRESS"])._replace(path=f"/{given['NAME']}").geturl()
    with psycopg.connect(address, autocommit=True) as link:
        dead = link.execute("SELECT relid::regclass::text FROM pg_stat_user_tables WHERE n_dead_tup > 200")
        for (table,) in dead.fetchall():
            link.execute(f"VACUUM {table}")


@pytest.fixture(scope="session")
def migrated(django_db_setup):
    """``migrated(home)``: puts an empty database with every table, and the master key that the migrations used, into a
    home, so that what starts there need not make it.
    """

    def put(home: Path) -> None:
        shutil.copytree(_MIGRATED, home, dirs_exist_ok=True)

    return put


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The tests' database; of SQLite's a copy is kept before anything is written into it, with the key it is sealed with."""
    import sqlite3

    from django.conf import settings

    _MIGRATED.mkdir()
    if _choice == "sqlite":
        with django_db_blocker.unblock(), sqlite3.connect(_MIGRATED / "liangzhu.sqlite3") as copy:
            connections["default"].ensure_connection()
            connections["default"].connection.backup(copy)
        copy.close()
        (_MIGRATED / "master-key").write_text(settings.LIANGZHU_MASTER_KEYS[0].hex())


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material beside the source tree; a test that needs it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the reference material (../shared) is not here")
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def no_network():
    """Whatever reaches beyond this machine fails, by name."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _loopback(address[0]):
            raise AssertionError(f"a test reached for the network: {address!r}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture
def reads_logged():
    """``with reads_logged():`` fails unless every value of grade 3 that is read in full inside has its leaf, and stands in the
    trail of whoever it belongs to."""

    @contextmanager
    def watch():
        from liangzhu.beams.trust.sources.models import Read
        from liangzhu.kernel.models import LogLeaf
        from liangzhu.kernel.sealing import watching

        def newest(model) -> int:
            return model.objects.order_by("-id").values_list("id", flat=True).first() or 0

        last_leaf, last_line = newest(LogLeaf), newest(Read)
        with watching() as seen:
            yield
        leaves = LogLeaf.objects.filter(id__gt=last_leaf, action__in=["kernel.read", "sources.pull"])
        logged = {
            (leaf.subject, name)
            for leaf in leaves.select_related("detail")
            for name in json.loads(leaf.detail.body)["fields"]
        }
        told = {(line.thing, name) for line in Read.objects.filter(id__gt=last_line) for name in line.names}
        read = {(str(row.ref), name) for row, name in seen}
        assert not read - logged, f"read in full without a leaf: {sorted(read - logged)}"
        assert not read - told, f"read in full, and not told to whom it concerns: {sorted(read - told)}"

    return watch


def _loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@pytest.fixture
def as_resident(db):
    """``as_resident("林晓禾", level=2)``: a made-up resident who signed in; has ``client``, ``actor``, ``person`` (a Ref).

    ``firm=(code, name)``: as the legal representative of an enterprise. Numbers are nobody's; ``number``: with this one.
    """
    from dataclasses import dataclass

    from django.test import Client

    from liangzhu.beams.people.residents import actions, sessions
    from liangzhu.beams.people.residents.api import Enterprise, Identity
    from liangzhu.kernel import identifiers
    from liangzhu.kernel.actors import Actor
    from liangzhu.kernel.refs import Ref

    province = Actor(ref=Ref("identity_provider", "province"), label="省统一身份认证")
    known: dict[str, str] = {}

    @dataclass
    class SignedIn:
        client: Client
        session_id: int

        @property
        def actor(self):
            from liangzhu.beams.people.residents.models import ResidentSession

            return sessions.actor_of(ResidentSession.objects.get(pk=self.session_id))

        @property
        def person(self) -> Ref:
            return self.actor.person

    def make(
        name: str = "林晓禾", *, level: int = 2, firm: tuple[str, str] | None = None, number: str = ""
    ) -> SignedIn:
        number = number or known.setdefault(
            name, identifiers.complete("person", f"32999919880312{len(known) + 501}")
        )
        row = actions.sign_in(
            province,
            identity=Identity(name, "citizen_id", number, level, Enterprise(*firm) if firm else None),
            device="Chrome · Linux",
            address="127.0.0.1",
            at=sessions.machine_now(),
        )
        client = Client(SERVER_NAME="localhost")
        session = client.session
        session[sessions.KEY] = row.pk
        session.save()
        client.cookies["sessionid"] = session.session_key
        return SignedIn(client, row.pk)

    return make
