"""Sealed columns: plain text through the model, ciphertext in the tables, nothing that opens after forgetting."""

import os
import sqlite3
from functools import partial
from pathlib import Path

import pytest
from django.core.exceptions import FieldError
from django.db import connection, models
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liangzhu.kernel import keyring, keys, policies, sealing
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.rows import get, insert, update
from liangzhu.kernel.sealing import GONE, BlindIndexField, Sealed, SealedTextField

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.fixture(scope="module")
def house():
    """Three tables of a small register."""
    with isolate_apps("liangzhu.kernel"):

        class Folder(Sealed):
            title = SealedTextField(max_length=200)
            number = SealedTextField(max_length=40, blank=True)
            number_blind = BlindIndexField(source="number", what="test.number")
            shelf = models.CharField(max_length=20, blank=True)

            class Meta:
                app_label = "kernel"
                verbose_name = "案卷"

            @property
            def ref(self) -> Ref:
                return Ref("folder", str(self.pk))

        class Sheet(models.Model):
            folder = models.ForeignKey(Folder, models.PROTECT, null=True, related_name="sheets")
            text = SealedTextField(owner="folder")

            class Meta:
                app_label = "kernel"

        class Mark(models.Model):
            sheet = models.ForeignKey(Sheet, models.PROTECT)
            reason = SealedTextField(owner="sheet.folder")
            office = SealedTextField(owner="", max_length=100)

            class Meta:
                app_label = "kernel"

        yield Folder, Sheet, Mark


@pytest.fixture
def tables(house, transactional_db):
    with connection.schema_editor() as editor:
        for model in house:
            editor.create_model(model)
    yield house
    with connection.schema_editor() as editor:
        for model in reversed(house):
            editor.delete_model(model)


@action("kernel.forget_folder")
def forget(act, *, row, rule="档案管理规定"):
    act.check(policies.manage_keys)
    sealing.forget(act, row, rule=rule)


def raw(model) -> bytes:
    """Everything that stands in a table."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
        return b"|".join(
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            for row in cursor.fetchall()
            for value in row
        )


class TestReadingAndWriting:
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(texts, texts, texts)
    def test_every_text_comes_back_as_it_was(self, tables, title, text, office):
        Folder, Sheet, Mark = tables
        folder = Folder.objects.create(title=title)
        sheet = Sheet.objects.create(folder=folder, text=text)
        mark = Mark(sheet=sheet, reason=text, office=office[:100])
        insert(mark)
        assert Folder.objects.get(pk=folder.pk).title == title
        assert get(Folder, folder.pk).title == title
        assert Sheet.objects.select_related("folder").get(pk=sheet.pk).text == text
        read = Mark.objects.get(pk=mark.pk)
        assert (read.reason, read.office) == (text, office[:100])

    def test_nothing_readable_stands_in_the_tables(self, tables):
        Folder, Sheet, Mark = tables
        folder = Folder.objects.create(title="张三丰投诉", number="320705194912310021")
        sheet = Sheet.objects.create(folder=folder, text="电话13851234567")
        Mark.objects.create(sheet=sheet, reason="张三丰要求", office="张三丰来电")
        for model in tables:
            for planted in ("张三丰", "320705194912310021", "13851234567"):
                assert planted.encode() not in raw(model)

    def test_the_same_text_never_looks_the_same(self, tables):
        Folder, _, _ = tables
        folder = Folder.objects.create(title="同一标题")
        one = bytes(Folder.objects.values_list("title", flat=True).get().data)
        folder.title = "同一标题"
        folder.save()
        assert bytes(Folder.objects.values_list("title", flat=True).get().data) != one

    def test_what_was_not_touched_goes_back_as_it_came(self, tables, django_assert_num_queries):
        Folder, _, _ = tables
        Folder.objects.create(title="标题")
        before = Folder.objects.values_list("title", flat=True).get().data
        folder = Folder.objects.get()
        folder.shelf = "A1"
        folder.save()
        update(folder)
        assert Folder.objects.values_list("title", flat=True).get().data == before

    def test_many_rows_at_once(self, tables, django_assert_num_queries):
        Folder, Sheet, _ = tables
        Folder.objects.bulk_create(Folder(title=f"标题{n}") for n in range(50))
        folder = Folder.objects.first()
        Sheet.objects.bulk_create(Sheet(folder=folder, text=f"内容{n}") for n in range(50))
        with django_assert_num_queries(2):
            assert [row.title for row in Folder.objects.order_by("pk")] == [f"标题{n}" for n in range(50)]
            rows = Sheet.objects.select_related("folder").order_by("pk")
            assert [row.text for row in rows] == [f"内容{n}" for n in range(50)]

    def test_rows_read_in_part(self, tables, django_assert_num_queries):
        Folder, _, _ = tables
        Folder.objects.create(title="标题", shelf="A1")
        for rows in (
            Folder.objects.only("shelf"),
            Folder.objects.defer("title"),
            Folder.objects.only("title"),
        ):
            assert rows.get().title == "标题"
        folder = Folder.objects.defer("title").get()
        folder.shelf = "B2"
        update(folder)
        folder.refresh_from_db()
        assert (folder.title, folder.shelf) == ("标题", "B2")

    def test_a_refreshed_row_can_be_saved(self, tables):
        Folder, Sheet, _ = tables
        folder = Folder.objects.create(title="标题")
        sheet = Sheet.objects.create(folder=folder, text="内容")
        for row in (folder, sheet):
            row.refresh_from_db()
            row.save()
        assert Folder.objects.get().title == "标题"
        assert Sheet.objects.get().text == "内容"

    def test_without_a_subject_the_installation_seals(self, tables):
        _, Sheet, _ = tables
        Sheet.objects.create(folder=None, text="无主")
        assert Sheet.objects.get().text == "无主"
        assert "无主".encode() not in raw(Sheet)

    def test_values_give_no_text_of_a_subject(self, tables):
        Folder, Sheet, Mark = tables
        folder = Folder.objects.create(title="标题")
        Mark.objects.create(sheet=Sheet.objects.create(folder=folder, text="x"), reason="y", office="窗口")
        assert str(Folder.objects.values_list("title", flat=True).get()) == sealing.HIDDEN
        assert str(Mark.objects.values_list("office", flat=True).get()) == "窗口"

    def test_a_text_that_is_too_long_is_refused(self, tables):
        Folder, _, _ = tables
        with pytest.raises(ValueError, match="200"):
            Folder.objects.create(title="长" * 201)

    def test_a_new_sealing_key_opens_what_the_old_one_sealed(self, tables):
        Folder, Sheet, Mark = tables
        folder = Folder.objects.create(title="标题")
        mark = Mark.objects.create(
            sheet=Sheet.objects.create(folder=folder, text="x"), reason="y", office="窗口"
        )
        keyring.rotate(SYSTEM, purpose="seal")
        keys.forget_cached()
        assert Folder.objects.get().title == "标题"
        assert Mark.objects.get().office == "窗口"
        mark.office = "二号窗口"
        mark.save()
        assert Mark.objects.get().office == "二号窗口"


class TestQuestions:
    @pytest.mark.parametrize("asked", ["title", "title__icontains", "title__in", "title__length"])
    def test_filters_are_refused_by_name(self, tables, asked):
        Folder, _, _ = tables
        with pytest.raises(FieldError, match=r"kernel\.search"):
            Folder.objects.filter(**{asked: "标题"}).exists()

    def test_an_update_without_the_row_is_refused_by_name(self, tables):
        Folder, Sheet, Mark = tables
        folder = Folder.objects.create(title="标题")
        with pytest.raises(FieldError, match="save"):
            Folder.objects.update(title="另一个")
        Mark.objects.create(sheet=Sheet.objects.create(folder=folder, text="x"), reason="y", office="窗口")
        Mark.objects.update(office="三号窗口")
        assert Mark.objects.get().office == "三号窗口"

    def test_equal_values_are_found_however_they_were_written(self, tables):
        Folder, _, _ = tables
        folder = Folder.objects.create(title="标题", number="32070519491231002x")
        assert Folder.objects.get(number_blind="320705 19491231 002X") == folder
        assert Folder.objects.get(number_blind__in=["1", "32070519491231002X"]) == folder
        assert not Folder.objects.filter(number_blind="320705").exists()
        with pytest.raises(FieldError, match="equality"):
            Folder.objects.filter(number_blind__startswith="3207").exists()

    def test_the_blind_index_follows_the_value(self, tables, monkeypatch):
        Folder, _, _ = tables
        rebuild = partial(sealing.rebuild_blind_indexes, Folder._meta.apps)
        monkeypatch.setattr(keys, "_rebuilds", {"blind": [rebuild]})
        folder = Folder.objects.create(title="标题", number="110")
        folder.number = "120"
        folder.save(update_fields=["number"])
        assert not Folder.objects.filter(number_blind="110").exists()
        assert Folder.objects.get(number_blind="120") == folder
        before = Folder.objects.get().number_blind
        keyring.rotate(SYSTEM, purpose="blind")
        assert Folder.objects.get().number_blind != before
        assert Folder.objects.get(number_blind="120") == folder


class TestMoved:
    def test_a_value_of_another_row_or_column_is_not_shown(self, tables, caplog):
        Folder, _, _ = tables
        one, two = Folder.objects.create(title="甲", number="110"), Folder.objects.create(title="乙")
        with connection.cursor() as cursor:
            table = Folder._meta.db_table
            cursor.execute(
                f'UPDATE "{table}" SET title = (SELECT title FROM "{table}" WHERE id = %s) WHERE id = %s',
                [one.pk, two.pk],
            )
            cursor.execute(f'UPDATE "{table}" SET number = title WHERE id = %s', [one.pk])
        assert Folder.objects.get(pk=two.pk).title == sealing.UNREADABLE
        assert Folder.objects.get(pk=one.pk).number == sealing.UNREADABLE
        assert "cannot be opened" in caplog.text

    def test_a_value_that_is_not_shown_survives_a_save(self, tables):
        Folder, _, _ = tables
        folder = Folder.objects.create(title="甲")
        key = bytes(Folder.objects.get().sealed_key)
        Folder.objects.update(sealed_key=sealing.new_subject_key(Folder))
        broken = Folder.objects.get()
        assert broken.title == sealing.UNREADABLE
        broken.save()
        broken.refresh_from_db()
        broken.save()
        Folder.objects.update(sealed_key=key)
        assert Folder.objects.get(pk=folder.pk).title == "甲"


class TestForgetting:
    def fill(self, tables):
        Folder, Sheet, Mark = tables
        folder = Folder.objects.create(title="张三丰", number="110", shelf="A1")
        sheet = Sheet.objects.create(folder=folder, text="张三丰投诉")
        Sheet.objects.create(folder=folder, text="")
        Mark.objects.create(sheet=sheet, reason="张三丰要求", office="一号窗口")
        other = Folder.objects.create(title="李四")
        Sheet.objects.create(folder=other, text="李四投诉")
        return folder

    def test_nothing_of_the_subject_is_readable_and_the_rest_stays(self, tables):
        Folder, Sheet, Mark = tables
        folder = self.fill(tables)
        before = {model: raw(model) for model in tables}
        forget(SYSTEM, row=folder)
        assert Folder.objects.get(pk=folder.pk).title == GONE
        assert sealing.is_gone(folder.title)
        assert [row.text for row in Sheet.objects.order_by("pk")] == [GONE, "", "李四投诉"]
        mark = Mark.objects.get()
        assert (mark.reason, mark.office) == (GONE, "一号窗口")
        assert not Folder.objects.filter(number_blind="110").exists()
        assert Folder.objects.get(pk=folder.pk).shelf == "A1"
        assert bytes(Folder.objects.get(pk=folder.pk).sealed_key) == b""
        assert before[Sheet] != raw(Sheet)

    def test_the_leaf_proves_it_and_tells_nothing(self, tables):
        folder = self.fill(tables)
        forget(SYSTEM, row=folder)
        leaf = LogLeaf.objects.get(action="kernel.forget_folder")
        assert leaf.subject == str(folder.ref)
        assert "张三丰" not in leaf.detail.body
        assert '"forgotten":"档案管理规定"' in leaf.detail.body
        assert '"kernel.Sheet.text":1' in leaf.detail.body

    def test_the_key_that_a_process_still_remembers_opens_nothing(self, tables):
        Folder, Sheet, _ = tables
        folder = self.fill(tables)
        stale = Sheet.objects.select_related("folder").filter(folder=folder).order_by("pk").first()
        assert stale.text == "张三丰投诉"
        forget(SYSTEM, row=folder)
        stale.refresh_from_db()
        assert stale.text == GONE

    def test_what_is_gone_stays_gone_when_it_is_saved(self, tables):
        Folder, Sheet, _ = tables
        folder = self.fill(tables)
        forget(SYSTEM, row=folder)
        for row in (*Folder.objects.all(), *Sheet.objects.all()):
            str(getattr(row, "title", "")), str(getattr(row, "text", ""))
            row.save()
            row.refresh_from_db()
            row.save()
            update(row)
        assert Folder.objects.get(pk=folder.pk).title == GONE
        assert Sheet.objects.filter(folder=folder).first().text == GONE

    def test_nothing_new_can_be_written_to_it(self, tables):
        Folder, Sheet, _ = tables
        folder = self.fill(tables)
        forget(SYSTEM, row=folder)
        with pytest.raises(sealing.Destroyed) as refused:
            Sheet.objects.create(folder=folder, text="又来了")
        assert refused.value.todo
        row = Folder.objects.get(pk=folder.pk)
        row.title = "又来了"
        with pytest.raises(sealing.Destroyed):
            row.save()

    def test_a_rule_is_named(self, tables):
        folder = self.fill(tables)
        with pytest.raises(ValueError, match="rule"):
            forget(SYSTEM, row=folder, rule=" ")
        folder.refresh_from_db()
        assert folder.title == "张三丰"

    def test_what_hangs_on_a_subject_otherwise_goes_too(self, tables, monkeypatch):
        Folder, _, _ = tables
        folder = self.fill(tables)
        seen = []
        monkeypatch.setattr(sealing, "_dependants", {})
        sealing.on_forget(Folder, lambda act, row: seen.append(row.pk) or {"terms": 4})
        forget(SYSTEM, row=folder)
        assert seen == [folder.pk]
        assert '"terms":4' in LogLeaf.objects.get(action="kernel.forget_folder").detail.body


@pytest.mark.parametrize(("opened_as_here", "left"), [(True, False), (False, True)])
def test_the_ciphertext_of_a_deleted_value_is_no_longer_in_the_file(tmp_path, opened_as_here, left):
    """Against SQLite as it is: without the settings of this program it stays, whatever its build does by default."""
    from liangzhu.site import settings as ours

    path = tmp_path / "one.sqlite3"
    database = sqlite3.connect(path)
    database.execute("PRAGMA secure_delete=OFF")
    if opened_as_here:
        database.executescript(ours._sqlite(path)["OPTIONS"]["init_command"])
    else:
        database.execute("PRAGMA journal_mode=WAL")
    database.execute("create table person (id integer primary key, phone blob)")
    phone = sealing.sealed_bytes("14100000001", os.urandom(16), b"person.phone")
    rows = [(os.urandom(60),) for _ in range(400)]
    database.executemany("insert into person (phone) values (?)", [*rows[:200], (phone,), *rows[200:]])
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert phone in path.read_bytes()
    database.execute("delete from person where phone = ?", (phone,))
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert (phone[8:] in path.read_bytes()) is left
    database.close()
    assert not Path(f"{path}-wal").exists()
