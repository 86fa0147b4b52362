"""What people give is nowhere readable: neither where the flow puts it, nor in any column there is, nor in the files."""

import json
import os
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test import override_settings

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import Notice
from liangzhu.kernel import sealing
from liangzhu.kernel.actions import action
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at, now
from liangzhu.kernel.pack import pack
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import drain

# Said nowhere else in the tests: pages that other rows left behind are searched too.
NAME, NUMBER, PHONE = "上官望舒", "320706198203040512", "13961300078"
PLAIN = "司徒不密"
PLANTED = f"{NAME}（{NUMBER}，电话{PHONE}）反映"


def everything() -> bytes:
    """Every byte of the database and of the stored files: those of SQLite with their journal, all rows of PostgreSQL with
    bytes as they are; names count as well.
    """
    folder = Path(default_storage.location)
    kept = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join([_database(), *(path.name.encode() + path.read_bytes() for path in kept)])


def _database() -> bytes:
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        there = [str(each) for each in sorted(path.parent.glob(f"{path.name}*")) if each.is_file()]
        # By another process: to close one of these files here would drop the locks that SQLite holds on it.
        return subprocess.run(["cat", *there], stdout=subprocess.PIPE, check=True).stdout
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                found += [
                    bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in row
                ]
    return b"\n".join(found)


def readable(*values: str) -> list[str]:
    """Which of the values, those that were planted if none are given, can be read in the database."""
    there = everything()
    forms = {
        value: (
            value.encode(),
            value.encode("utf-16-le"),
            value.encode().hex().encode(),
            json.dumps(value).encode()[1:-1],
        )
        for value in values or (NAME, NUMBER, PHONE)
    }
    return [value for value, written in forms.items() if any(form in there for form in written)]


def test_the_search_itself_finds_what_is_plain(transactional_db):
    default_storage.save("plain", ContentFile("欧阳明码".encode()))
    assert readable("欧阳明码") == ["欧阳明码"]
    LogLeaf.objects.create(at=now(), action="test.plain", actor=PLAIN, subject="x:1", commitment="0" * 64)
    assert readable(PLAIN) == [PLAIN]


class Factory:
    """Rows of any model, with whatever they need below them; every sealed column holds what was planted."""

    def __init__(self):
        self.serial = 0
        self.made: dict[type, models.Model] = {}

    def one(self, model: type[models.Model]) -> models.Model:
        if model not in self.made:
            self.serial += 1
            given = {}
            for field in model._meta.concrete_fields:
                if (value := self.value(field)) is not None:
                    given[field.name] = value
            row = model(**given)
            row.save(force_insert=True)
            self.made[model] = row
        return self.made[model]

    def value(self, field):
        if isinstance(field, sealing.SealedTextField):
            return PLANTED[: field.max_length or 500]
        if isinstance(field, sealing.SealedKeyField | sealing.BlindIndexField | models.AutoField):
            return None
        if field.is_relation:
            owners = {getattr(other, "owner", "").partition(".")[0] for other in field.model._meta.fields}
            needed = not field.null or field.name in owners | {"matter"}
            return self.one(field.related_model) if needed else None
        if field.choices:
            return field.choices[0][0]
        if field.has_default() or field.null:
            return None
        kind = field.get_internal_type()
        if kind in ("CharField", "TextField", "SlugField"):
            return f"{field.name[0]}{self.serial}"[: field.max_length or 40]
        return {
            "DateTimeField": now(),
            "DateField": date(2022, 12, 31) if field.name.endswith("_to") else date(2022, 10, 20),
            "BooleanField": False,
            "BinaryField": b"x",
        }.get(kind, self.serial)


def test_no_sealed_column_of_any_table_can_be_read(transactional_db):
    factory = Factory()
    fields = sealing.sealed_fields()
    assert len(fields) > 20
    for field in fields:
        row = factory.one(field.model)
        again = field.model._base_manager.get(pk=row.pk)
        assert field.plain(again) == PLANTED[: field.max_length or 500], field
    assert readable() == []


@action("test.plant")
def plant(act, *, do):
    act.check(public)
    result = do(act)
    act.log(Ref("test", "1"), remark=PLANTED)
    return result


@pytest.fixture
def town(transactional_db):
    """The pack's units and people, as a demonstration."""
    quick = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with override_settings(LIANGZHU_DEMO_DATE=date(2022, 10, 20), **quick), at("2022-10-20 09:00"):
        directory.load_units(pack())
        directory.load_people(pack())
        access.load_accounts(pack())
        matters.load_processes()
        yield


def actor_of(role: str) -> directory.Staff:
    post = directory.posts(role=role)[0]
    return directory.staff(post.person_id, post.id, Ref("account", str(post.person_id)))


def test_what_goes_the_ordinary_way_is_read_by_people_and_by_nobody_else(town):
    officer = actor_of("matters.officer")
    kind = matters.all_kinds()["plan_task"]
    upload = SimpleUploadedFile(f"{NAME}{PHONE}.txt", f"{PLANTED}".encode())
    file = files.stage(officer, upload=upload)

    def open_one(act):
        process = matters.process_in_force(kind.process)
        return matters.open_matter(
            act,
            kind=kind.key,
            title=f"{PLANTED}噪声",
            place=f"{NAME}家",
            parties=dict.fromkeys(process.parties, officer.unit_id),
            holding_unit_id=officer.unit_id,
            note=PLANTED,
            data={"story": PLANTED},
            files=[file.pk],
            due_on=date(2022, 12, 1),
        )

    matter = plant(officer, do=open_one)
    matters.comment(officer, matter_id=matter.pk, text=PLANTED)
    matters.notify([officer.post_id], key="k", title=PLANTED, text=PLANTED, matter=matter)
    drain()
    assert readable() == []
    line = matters.history(officer, matter)[0]
    assert line.entry.note == PLANTED
    assert NAME in line.files[0].name and files.content(line.files[0]).decode() == PLANTED
    assert PLANTED in {
        notice.text for notice in Notice.objects.filter(post=officer.post_id).select_related("matter")
    }
    assert PLANTED in LogLeaf.objects.get(action="test.plant", subject="test:1").detail.body


BEFORE = """
    import django, sys
    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.utils.timezone import now
    executor = MigrationExecutor(connection)
    seals = [key for key in executor.loader.graph.nodes if key[1].endswith("_seal")]
    assert len(seals) == 6, seals
    before = [parent for seal in seals for parent in executor.loader.graph.node_map[seal].parents]
    before = [key for key in before if key not in seals]
    state = executor.migrate([tuple(key) for key in before])
    sys.path.insert(0, {tests!r})
    from test_sealed_texts import Factory, PLANTED
    class Plain(Factory):
        def value(self, field):
            place = f"{{field.model._meta.app_label}}.{{field.model.__name__}}.{{field.name}}"
            if place not in {places!r}:
                return super().value(field)
            there.append(place)
            return PLANTED[: field.max_length]
    factory, there = Plain(), []
    models = {{(m._meta.app_label, m.__name__): m for m in state.apps.get_models()}}
    for label in {labels!r}:
        # A table that came later was never plain.
        if tuple(label) in models:
            factory.one(models[tuple(label)])
    print(there)
"""


def test_what_an_installation_held_before_is_sealed_by_the_upgrade(tmp_path, root):
    """An installation of before, with rows in every table that is sealed since, is upgraded."""
    labels = sorted(
        {(field.model._meta.app_label, field.model.__name__) for field in sealing.sealed_fields()}
    )
    places = [
        f"{field.model._meta.app_label}.{field.model.__name__}.{field.name}"
        for field in sealing.sealed_fields()
    ]
    environment = os.environ | {
        "LIANGZHU_HOME": str(tmp_path),
        "PYTHONPATH": f"{root / 'src'}:{root / 'tools'}",
    }
    if address := os.environ.get("LIANGZHU_DATABASE"):
        import psycopg

        with psycopg.connect(address, autocommit=True) as link:
            link.execute("CREATE DATABASE sealed_upgrade")
        environment["LIANGZHU_DATABASE"] = address.replace("/postgres?", "/sealed_upgrade?")
    (tmp_path / "static").mkdir()

    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    # Columns that came later held nothing then.
    there = run(BEFORE.format(tests=str(Path(__file__).parent), labels=labels, places=places)).strip()
    said = run(
        f"""
        import django, sys
        django.setup()
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from django.core.management import call_command
        from test_sealed_texts import readable, PLANTED
        from liangzhu.kernel import sealing
        print("before", readable())
        call_command("migrate", verbosity=0)
        print("after", readable())
        held = [
            field for field in sealing.sealed_fields()
            if f"{{field.model._meta.app_label}}.{{field.model.__name__}}.{{field.name}}" in {there}
        ]
        wrong = [
            str(field) for field in held
            if {{getattr(row, field.name) for row in field.model._base_manager.all()}} != {{PLANTED[:field.max_length]}}
        ]
        print("wrong", wrong)
        print("filled", len(held))
        """
    )
    assert f"before {[NAME, NUMBER, PHONE]}" in said
    assert "after []" in said
    assert "wrong []" in said
    assert int(said.rpartition("filled ")[2]) > 25
