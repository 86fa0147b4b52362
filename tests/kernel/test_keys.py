"""Keys: made once however many ask, newer ones sign, older ones verify for ever, and the master key can be changed."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from liangzhu.kernel import crypto, keyring, keys
from liangzhu.kernel.actors import ANONYMOUS, SYSTEM
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.models import Key, LogLeaf
from liangzhu.site import config

OTHER = bytes(range(16))


@pytest.fixture
def fresh():
    """Nothing remembered by this process, before and after."""
    keys.forget_cached()
    yield
    keys.forget_cached()


def test_a_new_database_has_a_key_for_every_purpose(db):
    assert set(Key.objects.values_list("purpose", "version")) == {(name, 1) for name in keys.purposes()}


def test_a_signature_names_its_key_and_holds(db):
    done = keys.sign("log", b"head")
    assert done.key_id == "log:1"
    assert keys.verify(done.key_id, b"head", done.signature)
    assert not keys.verify(done.key_id, b"another head", done.signature)
    assert crypto.verify(keys.public("log:1"), b"head", done.signature)


@pytest.mark.parametrize("key_id", ["log:99", "log", "", "nothing:1", "log:x"])
def test_a_key_that_is_not_here_is_named(db, key_id):
    with pytest.raises(keys.NoSuchKey) as missing:
        keys.verify(key_id, b"m", bytes(64))
    assert missing.value.todo


def test_a_purpose_that_nobody_declared_is_named(db):
    with pytest.raises(keys.NoSuchKey):
        keys.sign("lgo", b"m")


def test_no_secret_stands_in_the_database_or_in_a_repr(db):
    for name in keys.purposes():
        material = keys.current(name)
        row = Key.objects.get(purpose=name)
        assert material.secret not in bytes(row.wrapped)
        assert material.secret.hex() not in repr(material)
        assert str(material.secret) not in repr(material)


def test_a_blind_index_is_equal_for_equal_values_of_the_same_kind_only(db):
    assert keys.blind("number", "110") == keys.blind("number", "110")
    assert len({keys.blind("number", "110"), keys.blind("number", "111"), keys.blind("phone", "110")}) == 3
    assert len(keys.blind("number", "110")) == 16


class TestRotation:
    def test_the_new_version_signs_and_the_old_one_still_verifies(self, transactional_db):
        old = keys.sign("log", b"head")
        row = keyring.rotate(SYSTEM, purpose="log")
        new = keys.sign("log", b"head")
        assert (old.key_id, new.key_id) == ("log:1", "log:2")
        for one in (old, new):
            assert keys.verify(one.key_id, b"head", one.signature)
        assert not keys.verify("log:2", b"head", old.signature)
        assert LogLeaf.objects.filter(action="kernel.rotate_key", subject=str(row.ref)).count() == 1

    def test_what_an_old_version_wrapped_is_opened_for_ever(self, transactional_db, fresh):
        wrapped = keys.wrap(b"k" * 16, b"place")
        version, column = keys.column_key("table.column")
        keyring.rotate(SYSTEM, purpose="seal")
        keys.forget_cached()
        assert keys.unwrap(wrapped, b"place") == b"k" * 16
        assert keys.wrap(b"k" * 16, b"place")[:2] == b"\x00\x02"
        assert keys.column_key("table.column", version) == (1, column)
        assert keys.column_key("table.column") != (1, column)

    def test_a_rotation_that_fails_leaves_nothing_behind(self, transactional_db, monkeypatch):
        monkeypatch.setattr(keys, "_rebuilds", {"log": [lambda: 1 / 0]})
        with pytest.raises(ZeroDivisionError):
            keyring.rotate(SYSTEM, purpose="log")
        assert keys.sign("log", b"m").key_id == "log:1"
        monkeypatch.undo()
        keyring.rotate(SYSTEM, purpose="log")
        done = keys.sign("log", b"m")
        assert done.key_id == "log:2"
        # The key of the transaction that was rolled back would not verify.
        keys.forget_cached()
        assert keys.verify("log:2", b"m", done.signature)

    def test_what_must_match_is_computed_again(self, transactional_db, monkeypatch):
        seen = []
        monkeypatch.setattr(keys, "_rebuilds", {"blind": [lambda: seen.append(keys.blind("n", "1"))]})
        before = keys.blind("n", "1")
        keyring.rotate(SYSTEM, purpose="blind")
        assert seen == [keys.blind("n", "1")]
        assert before not in seen

    def test_nobody_but_the_system_rotates(self, db):
        with pytest.raises(Denied):
            keyring.rotate(ANONYMOUS, purpose="log")


class TestFirstUse:
    def ask(self, count):
        def one(_):
            try:
                return keys.current("seal").secret
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as pool:
            return set(pool.map(one, range(count)))

    def test_threads_that_ask_at_once_get_the_same_key(self, transactional_db, fresh):
        Key.objects.all().delete()
        keys.forget_cached()
        assert len(self.ask(8)) == 1
        assert Key.objects.filter(purpose="seal").count() == 1

    def test_a_key_made_in_a_transaction_that_is_rolled_back_is_not_remembered(self, transactional_db, fresh):
        Key.objects.all().delete()
        keys.forget_cached()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            lost = keys.current("seal").secret
            assert keys.current("seal").secret == lost
            raise ZeroDivisionError
        assert keys.current("seal").secret != lost
        assert keys.secret_of(Key.objects.get(purpose="seal")) == keys.current("seal").secret

    def test_processes_that_ask_at_once_get_the_same_key(self, transactional_db, fresh, settings, root):
        Key.objects.all().delete()
        name = connection.settings_dict["NAME"]
        program = textwrap.dedent(f"""
            import django
            from django.conf import settings
            django.setup()
            settings.DATABASES["default"]["NAME"] = {str(name)!r}
            from liangzhu.kernel import keys
            input()
            print(keys.current("seal").secret.hex())
        """)
        environment = os.environ | {
            "PYTHONPATH": str(root / "src"),
            "LIANGZHU_HOME": str(settings.LIANGZHU_HOME),
        }
        children = [
            subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            for _ in range(3)
        ]
        # All have started before the first may ask.
        for child in children:
            child.stdin.write("\n")
            child.stdin.flush()
        answers = {child.communicate(timeout=60)[0].strip() for child in children}
        assert len(answers) == 1
        assert answers.pop() == keys.current("seal").secret.hex()


class TestMasterKey:
    def test_another_master_key_is_refused_by_name(self, db, settings, fresh):
        settings.LIANGZHU_MASTER_KEYS = [OTHER]
        with pytest.raises(keys.WrongMasterKey, match=keys.fingerprint(OTHER)) as wrong:
            keys.current("seal")
        assert "rewrap" in wrong.value.todo

    def test_a_change_keeps_every_key(self, transactional_db, settings, fresh):
        old = settings.LIANGZHU_MASTER_KEYS
        before = {name: keys.current(name).secret for name in keys.purposes()}
        settings.LIANGZHU_MASTER_KEYS = [OTHER, *old]
        assert keyring.rewrap(SYSTEM) == len(before)
        assert keyring.rewrap(SYSTEM) == 0
        settings.LIANGZHU_MASTER_KEYS = [OTHER]
        keys.forget_cached()
        assert {name: keys.current(name).secret for name in keys.purposes()} == before
        settings.LIANGZHU_MASTER_KEYS = old
        keys.forget_cached()
        with pytest.raises(keys.WrongMasterKey):
            keys.current("seal")

    def test_a_wrapped_key_that_was_moved_or_altered_does_not_open(self, db, fresh):
        seal, blind = Key.objects.get(purpose="seal"), Key.objects.get(purpose="blind")
        seal.wrapped = blind.wrapped
        seal.save()
        with pytest.raises(crypto.Tampered):
            keys.current("seal")

    @pytest.mark.parametrize("text", ["short", "00" * 15, "00" * 32, "g" * 32])
    def test_a_master_key_that_is_none_is_refused_without_being_shown(self, monkeypatch, text):
        monkeypatch.setenv("LIANGZHU_MASTER_KEY", text)
        with pytest.raises(config.SettingError, match="LIANGZHU_MASTER_KEY") as wrong:
            config.read("LIANGZHU_MASTER_KEY")
        assert text not in str(wrong.value)

    def test_a_home_makes_one_for_itself_once_and_for_its_owner_only(self, tmp_path, root):
        program = "from liangzhu.site import settings; print(settings.LIANGZHU_MASTER_KEYS[0].hex())"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root / "src")}
        environment["LIANGZHU_HOME"] = str(tmp_path / "home")
        children = [
            subprocess.Popen(
                [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment, text=True
            )
            for _ in range(3)
        ]
        made = {child.communicate(timeout=60)[0].strip() for child in children}
        path = tmp_path / "home" / "master-key"
        assert made == {path.read_text()}
        assert path.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in path.parent.iterdir() if each.name.startswith(".")] == []
