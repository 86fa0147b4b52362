"""`liangzhu doctor` finds what is wrong, and says what to do."""

import json
import os
import shutil
from datetime import timedelta

import pytest
from django.utils.timezone import now as machine_now  # noqa: TID251 - the worker runs on the machine's clock

from liangzhu.kernel.models import Delivery, OutboxEvent, PeriodicRun
from liangzhu.kernel.now import at, now
from liangzhu.kernel.worker import all_periodic
from liangzhu.site import assets, cli, doctor


def levels(check) -> dict[str, str]:
    return {finding.name: finding.level for finding in check()}


@pytest.fixture
def real(db, settings, monkeypatch):
    """A real installation that is in order."""
    monkeypatch.setattr("liangzhu.site.loading.kind_of_database", lambda: False)
    settings.LIANGZHU_OWN_KEY = False
    settings.LIANGZHU_OWN_MASTER_KEY = False
    settings.SECRET_KEY = "k" * 50
    settings.ALLOWED_HOSTS = ["work.example.gov.cn"]
    settings.SESSION_COOKIE_SECURE = True
    settings.LIANGZHU_ADDRESS = "https://work.example.gov.cn"
    return settings


class TestSecrets:
    def test_an_installation_in_order_is_told_so(self, real):
        assert levels(doctor._secrets) == dict.fromkeys(["密钥", "主密钥", "数据库密钥"], doctor.GOOD)

    @pytest.mark.parametrize(
        ("setting", "value", "name", "level"),
        [
            ("LIANGZHU_OWN_KEY", True, "密钥", doctor.BAD),
            ("LIANGZHU_OWN_MASTER_KEY", True, "主密钥", doctor.BAD),
            ("LIANGZHU_MASTER_KEYS", [b"another master ?"], "数据库密钥", doctor.BAD),
            ("SECRET_KEY", "short", "密钥", doctor.WARN),
            ("SESSION_COOKIE_SECURE", False, "HTTPS", doctor.BAD),
            ("LIANGZHU_ADDRESS", "http://127.0.0.1:8000", "对外网址", doctor.BAD),
            ("DEBUG", True, "调试", doctor.BAD),
        ],
    )
    def test_what_is_unsafe_beyond_this_machine_is_found(self, real, setting, value, name, level):
        setattr(real, setting, value)
        found = {finding.name: finding for finding in doctor._secrets()}[name]
        assert found.level == level
        assert found.todo

    def test_a_real_installation_on_a_demonstration_day_is_found(self, real):
        real.LIANGZHU_DEMO_DATE = "2022-10-20"
        assert levels(doctor._kind) == {"类别": doctor.BAD}


class TestWorker:
    def run(self, minutes_ago, error=""):
        name = next(iter(all_periodic()))
        PeriodicRun.objects.create(
            name=name, last_at=machine_now() - timedelta(minutes=minutes_ago), error=error
        )

    def owe(self, **given):
        event = OutboxEvent.objects.create(
            name="x.y", subject="x:1", body="{}", actor="system:worker", at=now()
        )
        Delivery.objects.create(event=event, handler="h", subject="x:1", **given)

    def test_a_worker_that_never_ran_is_found(self, db):
        assert levels(doctor._worker)["后台进程"] == doctor.WARN

    @pytest.mark.parametrize(("minutes_ago", "level"), [(1, doctor.GOOD), (600, doctor.BAD)])
    def test_a_worker_that_went_silent_is_found(self, db, minutes_ago, level):
        self.run(minutes_ago)
        assert levels(doctor._worker)["后台进程"] == level

    def test_a_job_that_fails_is_named_with_its_last_line(self, db):
        self.run(1, "Traceback\nZeroDivisionError: by nought")
        found = {finding.name: finding for finding in doctor._worker()}["定时任务"]
        assert found.level == doctor.BAD
        assert "by nought" in found.detail

    @pytest.mark.parametrize(
        ("given", "level"),
        [
            ({"due_at": timedelta(minutes=0)}, doctor.GOOD),
            ({"due_at": timedelta(minutes=9)}, doctor.WARN),
            ({"due_at": timedelta(minutes=9), "dead_at": timedelta(minutes=1)}, doctor.BAD),
        ],
    )
    def test_what_is_owed_for_long_and_what_was_given_up_is_found(self, db, given, level):
        tries = {"attempts": 7} if "dead_at" in given else {}
        self.owe(**tries, **{name: machine_now() - ago for name, ago in given.items()})
        assert levels(doctor._worker)["投递"] == level


@pytest.mark.parametrize(
    ("day", "level"),
    [("2026-06-01", doctor.GOOD), ("2026-11-20", doctor.WARN), ("2027-01-05", doctor.BAD)],
)
def test_an_old_calendar_is_found(db, day, level):
    with at(day):
        assert levels(doctor._calendar) == {"工作日历": level}


def test_a_database_in_order_is_told_so(db):
    assert levels(doctor._database)["数据库结构"] == doctor.GOOD


def test_open_files_of_the_installation_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("liangzhu.site.config.read", lambda name: tmp_path)
    (tmp_path / "secret-key").write_text("k")
    (tmp_path / "secret-key").chmod(0o644)
    tmp_path.chmod(0o755)
    found = {finding.name: finding for finding in doctor._home()}["目录权限"]
    assert found.level == doctor.BAD
    assert "chmod 700" in found.todo
    tmp_path.chmod(0o700)
    assert levels(doctor._home)["目录权限"] == doctor.GOOD


def test_a_setting_that_cannot_be_read_stops_the_examination(monkeypatch):
    monkeypatch.setenv("LIANGZHU_DEMO_DATE", "yesterday")
    found = doctor.examine()
    assert {finding.name for finding in found} == {"设置"}
    assert (found[0].level, "LIANGZHU_DEMO_DATE" in found[0].detail) == (doctor.BAD, True)


def test_a_misspelt_setting_is_found(monkeypatch):
    monkeypatch.setenv("LIANGZHU_HTTP", "1")
    assert "LIANGZHU_HTTP" in next(iter(doctor._settings())).detail


def test_a_check_that_breaks_is_a_finding_and_not_the_end():
    def broken():
        """某项：看看。"""
        raise RuntimeError("disk on fire")
        yield

    (found,) = doctor._safely(broken)
    assert (found.name, found.level) == ("某项", doctor.BAD)
    assert "disk on fire" in found.detail


def test_the_exit_status_says_whether_something_must_be_done(db, monkeypatch, capsys):
    for level, status in ((doctor.WARN, 0), (doctor.BAD, 1)):
        monkeypatch.setattr(doctor, "examine", lambda level=level: [doctor.Finding("甲", level, "乙", "丙")])
        with pytest.raises(SystemExit) as ended:
            cli.main.main(args=["doctor", "--json"], prog_name="liangzhu")
        assert ended.value.code == status
        assert json.loads(capsys.readouterr().out) == [
            {"name": "甲", "level": level, "detail": "乙", "todo": "丙"}
        ]


def test_a_bundle_older_than_its_sources_is_noticed_by_content(tmp_path, monkeypatch):
    css, dist = tmp_path / "ui" / "css", tmp_path / "dist"
    for folder in (css, dist):
        folder.mkdir(parents=True)
    (css / "ui.css").write_text("a{}")
    assert "还没有打包" in assets.stale(tmp_path)
    for name in ("ui.css", "ui.js"):
        (dist / name).touch()
    assert "改过" in assets.stale(tmp_path), "nobody knows what it was made from"
    (dist / "sources.sha256").write_text(assets.fingerprint(tmp_path / "ui") + "\n")
    os.utime(css / "ui.css", (2**31, 2**31))
    assert assets.stale(tmp_path) == ""
    (css / "ui.css").write_text("b{}")
    monkeypatch.setattr(assets, "stale", lambda folder=tmp_path, real=assets.stale: real(folder))
    (found,) = doctor._assets()
    assert found.level == doctor.WARN and "make install" in found.todo
    shutil.rmtree(tmp_path / "ui")
    assert assets.stale(tmp_path) == "", "installed without sources"


@pytest.mark.skipif(not (assets.FOLDER / "dist" / "sources.sha256").exists(), reason="nothing was built here")
def test_the_build_counts_as_the_program_does():
    assert (assets.FOLDER / "dist" / "sources.sha256").read_text().strip() == assets.fingerprint(
        assets.FOLDER / "ui"
    )
