"""``liangzhu doctor``: what this installation lacks, and what to do about it."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from liangzhu.site import config

GOOD, WARN, BAD = "good", "warn", "bad"
MARKS = {GOOD: "✓", WARN: "!", BAD: "✗"}

GIGABYTE = 1024**3
LATE = timedelta(minutes=5)
"""A delivery that is owed for longer, or a worker that was silent for longer, is worth a look."""


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do."""

    name: str
    level: str
    detail: str
    todo: str = ""

    @property
    def mark(self) -> str:
        """✓, ! or ✗."""
        return MARKS[self.level]

    def as_json(self) -> dict[str, str]:
        """The finding for programs."""
        return {"name": self.name, "level": self.level, "detail": self.detail, "todo": self.todo}


def examine() -> list[Finding]:
    """Look at everything; what cannot be looked at is a finding too."""
    findings = list(_settings())
    if any(finding.level == BAD for finding in findings):
        return findings
    from liangzhu.site.cli import set_up_django

    try:
        set_up_django()
    except Exception as error:
        return [*findings, Finding("程序", BAD, f"不能启动：{error}", "请核对设置和资料包，或重新安装程序。")]
    for check in (
        _pack,
        _kind,
        _secrets,
        _home,
        _database,
        _worker,
        _log,
        _neighbours,
        _calendar,
        _assets,
        _printing,
        _browser,
    ):
        findings += _safely(check)
    return findings


def _safely(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:
        name = (check.__doc__ or check.__name__).split("：")[0]
        return [Finding(name, BAD, f"检查没有完成：{error}", "请先处理上面的问题，再运行一次。")]


def _settings() -> Iterator[Finding]:
    wrong = []
    for name in config.SETTINGS:
        try:
            config.read(name)
        except config.SettingError as error:
            wrong.append(
                Finding("设置", BAD, str(error), f"请改正环境变量 {name}，写法见 docs/settings.md。")
            )
    unknown = config.unknown()
    if unknown:
        wrong.append(
            Finding(
                "设置", WARN, f"不认识的设置：{'、'.join(unknown)}。", "请核对拼写，写法见 docs/settings.md。"
            )
        )
    given = sum(name in os.environ for name in config.SETTINGS)
    yield from wrong or [
        Finding("设置", GOOD, f"{len(config.SETTINGS)} 项都能识别，其中 {given} 项由环境变量给出。")
    ]


def _pack() -> Iterator[Finding]:
    """资料包：能读、写法对。"""
    from liangzhu.kernel.pack import PackError, pack

    try:
        for path in sorted(pack().folder.glob("*.toml")):
            pack().toml(path.name)
        yield Finding("资料包", GOOD, f"{pack().district['name']}（{pack().folder}）")
    except (PackError, KeyError) as error:
        yield Finding("资料包", BAD, str(error), "请检查 LIANGZHU_PACK，或运行 tests/house/test_pack.py。")


def _kind() -> Iterator[Finding]:
    """类别：演示还是正式。"""
    from django.conf import settings

    from liangzhu.site.loading import kind_of_database

    kind = kind_of_database()
    if kind is None:
        yield Finding(
            "类别", WARN, "还没有载入资料。", "运行 liangzhu up（演示），或 liangzhu up --no-demo（正式）。"
        )
    elif kind:
        yield Finding(
            "类别", GOOD, f"演示安装，停在 {settings.LIANGZHU_DEMO_DATE}；演示密码是公开的，只能在本机使用。"
        )
    elif settings.LIANGZHU_DEMO_DATE:
        yield Finding(
            "类别",
            BAD,
            f"正式安装却停在演示日期 {settings.LIANGZHU_DEMO_DATE}，时限全部不对。",
            "请去掉设置 LIANGZHU_DEMO_DATE。",
        )
    else:
        yield Finding("类别", GOOD, "正式安装。")


def _secrets() -> Iterator[Finding]:
    """密钥和对外服务：签名密钥、主机、HTTPS、调试。"""
    from django.conf import settings

    from liangzhu.site.loading import kind_of_database
    from liangzhu.site.serving import is_loopback

    beyond = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    if settings.LIANGZHU_OWN_KEY:
        level = BAD if beyond else WARN if kind_of_database() is False else GOOD
        todo = "" if level == GOOD else "请设置 LIANGZHU_SECRET_KEY（至少 50 个随机字符）并妥善保管。"
        yield Finding("密钥", level, "用的是程序自己生成的密钥，只能在本机提供服务。", todo)
    elif len(settings.SECRET_KEY) < 50:
        yield Finding(
            "密钥", WARN, "LIANGZHU_SECRET_KEY 太短。", "请换成至少 50 个随机字符；换后所有人要重新登录。"
        )
    else:
        yield Finding("密钥", GOOD, "由 LIANGZHU_SECRET_KEY 给出。")
    if settings.LIANGZHU_OWN_MASTER_KEY:
        level = BAD if beyond else WARN if kind_of_database() is False else GOOD
        todo = (
            ""
            if level == GOOD
            else "请设置 LIANGZHU_MASTER_KEY（openssl rand -hex 16），再运行 liangzhu keys rewrap。"
        )
        yield Finding("主密钥", level, "程序自己生成的，和数据在同一个目录里，只能在本机提供服务。", todo)
    else:
        yield Finding("主密钥", GOOD, "由 LIANGZHU_MASTER_KEY 给出。")
    yield from _keys_open()
    if beyond and not settings.SESSION_COOKIE_SECURE:
        yield Finding(
            "HTTPS",
            BAD,
            f"对外主机名 {'、'.join(beyond)}，但没有要求 HTTPS，登录凭据会明文传输。",
            "请在前面放 HTTPS 代理并设置 LIANGZHU_HTTPS=1。",
        )
    if beyond and is_loopback(urlsplit(settings.LIANGZHU_ADDRESS).hostname or ""):
        yield Finding(
            "对外网址",
            BAD,
            f"证照和文书的二维码会指向 {settings.LIANGZHU_ADDRESS}，别人打不开。",
            "请把 LIANGZHU_ADDRESS 设为门户对外的网址；已经核发的，二维码不会变。",
        )
    if settings.DEBUG:
        level = BAD if beyond or kind_of_database() is False else WARN
        yield Finding("调试", level, "LIANGZHU_DEBUG 打开着，出错页会暴露内部信息。", "请去掉这个设置。")


def _keys_open() -> Iterator[Finding]:
    """Whether the master key opens the keys of the database, and who signs."""
    from django.db import connection

    from liangzhu.kernel import crypto, keys
    from liangzhu.kernel.models import Key

    if "kernel_key" not in connection.introspection.table_names():
        return
    try:
        for row in Key.objects.all():
            keys.secret_of(row)
    except (keys.WrongMasterKey, crypto.CryptoError) as wrong:
        yield Finding(
            "数据库密钥",
            BAD,
            getattr(wrong, "detail", str(wrong)),
            getattr(wrong, "todo", "请恢复原来的主密钥。"),
        )
        return
    stale = Key.objects.exclude(master=next(iter(keys.masters()))).count()
    if stale:
        yield Finding(
            "数据库密钥", WARN, f"{stale} 个密钥还由原来的主密钥保护。", "运行 liangzhu keys rewrap。"
        )
    else:
        yield Finding("数据库密钥", GOOD, f"都能打开；SM2 由 {crypto.implementation()} 计算。")


def _home() -> Iterator[Finding]:
    """目录：权限和空间。"""
    home: Path = config.read("LIANGZHU_HOME")
    loose = []
    for path in (home / "secret-key", home / "master-key", home / "liangzhu.sqlite3"):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o007:
            loose.append(path.name)
    for name in ("secret-key", "master-key"):
        if (home / name).exists() and stat.S_IMODE((home / name).stat().st_mode) & 0o077:
            loose = sorted({*loose, name})
    if loose and stat.S_IMODE(home.stat().st_mode) & 0o007:
        yield Finding(
            "目录权限", BAD, f"{home} 里的 {'、'.join(loose)} 其他用户也能读。", f"运行 chmod 700 {home}"
        )
    else:
        yield Finding("目录权限", GOOD, f"{home}")
    free = shutil.disk_usage(home).free / GIGABYTE
    level = BAD if free < 0.2 else WARN if free < 2 else GOOD
    todo = "" if level == GOOD else "请清理磁盘，或把 LIANGZHU_HOME 移到更大的磁盘。"
    yield Finding("磁盘", level, f"剩余 {free:.1f} GB", todo)


def _database() -> Iterator[Finding]:
    """数据库：能连上、结构最新、日志方式。"""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    if connection.vendor == "sqlite" and not (
        connection.is_in_memory_db() or Path(connection.settings_dict["NAME"]).exists()
    ):
        yield Finding("数据库", WARN, "还没有建立。", "运行 liangzhu up。")
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
            good = mode == "wal"
            yield Finding(
                "数据库",
                GOOD if good else BAD,
                f"SQLite {'.'.join(map(str, connection.Database.sqlite_version_info))}，日志方式 {mode}",
                "" if good else "不是 WAL，读写会互相等待：请把 LIANGZHU_HOME 放在本地磁盘，不要放在网络盘。",
            )
        else:
            cursor.execute("SHOW server_encoding")
            encoding = cursor.fetchone()[0]
            good = encoding == "UTF8"
            yield Finding(
                "数据库",
                GOOD if good else BAD,
                f"PostgreSQL {connection.pg_version // 10000}，编码 {encoding}",
                "" if good else "请用 UTF8 编码重建数据库。",
            )
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Finding("数据库结构", BAD, f"有 {len(missing)} 个升级步骤没有执行。", "运行 liangzhu migrate。")
    else:
        yield Finding("数据库结构", GOOD, "已是最新。")


def _worker() -> Iterator[Finding]:
    """后台进程：在运行、没有积压、没有失败。"""
    from django.utils.timezone import now as machine_now  # noqa: TID251 - deliveries run on the machine's clock

    from liangzhu.beams.work.matters.api import timer_state
    from liangzhu.kernel.models import PeriodicRun, Received
    from liangzhu.kernel.outbox import outbox_state
    from liangzhu.kernel.worker import all_periodic

    start = "运行 liangzhu up，或单独运行 liangzhu worker。"
    runs = {run.name: run for run in PeriodicRun.objects.filter(name__in=all_periodic())}
    seen = [run.last_at for run in runs.values() if run.last_at]
    shortest = min((job.minutes for job in all_periodic().values()), default=0)
    if not seen:
        yield Finding("后台进程", WARN, "还没有运行过，提醒和投递都不会发出。", start)
    else:
        silent = machine_now() - max(seen)
        late = silent > timedelta(minutes=shortest) + LATE
        words = f"最近一次定时任务在 {int(silent.total_seconds() // 60)} 分钟前。"
        yield Finding("后台进程", BAD if late else GOOD, words, f"可能已停止。{start}" if late else "")
    failed = sorted(name for name, run in runs.items() if run.error)
    if failed:
        last = runs[failed[0]].error.strip().splitlines()[-1]
        yield Finding("定时任务", BAD, f"{'、'.join(failed)} 上次运行失败：{last}", "请看后台进程的日志。")
    timers = timer_state()
    if timers.dead:
        yield Finding(
            "到时办理",
            BAD,
            f"{timers.dead} 项定时多次没有办成，已放弃。",
            "请系统管理员在工作台“定时失败”里看原因，修复后再试。",
        )
    state = outbox_state()
    refused = Received.objects.filter(event=None).count()
    if state.dead:
        yield Finding(
            "投递",
            BAD,
            f"{state.dead} 个事件多次投递失败，已放弃。",
            "请系统管理员在工作台“投递失败”里看原因，修复后重新投递。",
        )
    elif state.unattended:
        yield Finding(
            "投递",
            WARN,
            f"{state.unattended} 个事件等待发往外部系统，但发送没有启用。",
            "请重新设置 LIANGZHU_NATS；事件不会丢失。",
        )
    elif state.oldest > LATE.total_seconds():
        yield Finding("投递", WARN, f"共 {state.pending} 个待投递，最早的已等 {state.oldest_words}。", start)
    else:
        yield Finding("投递", GOOD, "没有积压。")
    if refused:
        last = Received.objects.filter(event=None).latest("id")
        yield Finding(
            "来件",
            WARN,
            f"{refused} 件外部来件读不懂，没有收下；最近一件来自 {last.source}：{last.refused}",
            "请与发件的系统核对格式。",
        )


def _neighbours() -> Iterator[Finding]:
    """外部系统：能连上、设置合适。"""
    from liangzhu.kernel.neighbours import all_neighbours

    for one in all_neighbours().values():
        for report in one.check_config():
            yield Finding(one.title, report.level, report.detail, report.todo)


def _log() -> Iterator[Finding]:
    """日志：入树没有停，树头与库外的文件相符。"""
    from django.utils.timezone import now as machine_now  # noqa: TID251 - heads are signed on the machine's clock

    from liangzhu.kernel.log import heads, latest_head
    from liangzhu.kernel.log.sequencer import waiting_since

    # The file first: what it holds must be in the database by now.
    last = heads.last_in_file(heads.heads_file())
    head, waiting = latest_head(), waiting_since()
    verify = "运行 liangzhu log verify 看是哪一条，并按提示处理。"
    if last and (head is None or last.size > head.size):
        size = head.size if head else 0
        words = f"heads.txt 记到 {last.size} 条，数据库里只有 {size} 条：日志被截去了，或换成了旧的数据库。"
        yield Finding("日志", BAD, words, verify)
    elif waiting and machine_now() - waiting > LATE:
        words = "有超过 5 分钟没有入树的日志，出不了证明。"
        todo = (
            "运行 liangzhu up 或 liangzhu worker；已在运行时，看后台进程的日志，并运行 liangzhu log verify。"
        )
        yield Finding("日志", BAD, words, todo)
    elif head is None:
        yield Finding("日志", GOOD, "还没有日志。")
    elif not heads.signature_holds(head):
        yield Finding("日志", BAD, f"最新树头（{head.size} 条）的签名不对。", verify)
    elif last is None or last.size < head.size:
        yield Finding(
            "日志",
            WARN,
            f"{head.size} 条；最新的树头还没有写入 {heads.heads_file()}。",
            "后台进程运行时会补上；一直没有时，请检查这个文件的权限和磁盘。",
        )
    else:
        yield Finding(
            "日志", GOOD, f"{head.size} 条已入树，最新树头的签名有效；全部核验用 liangzhu log verify。"
        )


def _calendar() -> Iterator[Finding]:
    """工作日历：放假安排公布到哪一天。"""
    from liangzhu.kernel.models import DayOverride
    from liangzhu.kernel.now import today
    from liangzhu.kernel.workdays import PUBLISHED_UNTIL

    day = today()
    local = DayOverride.objects.count()
    words = f"国家放假安排已知到 {PUBLISHED_UNTIL}，本地调整 {local} 天。"
    renew = "国务院办公厅通常在 11 月公布次年安排：请升级程序，或由系统管理员在“工作日历”中录入。"
    if day > PUBLISHED_UNTIL:
        yield Finding("工作日历", BAD, f"{words}今天已经超出，时限都是暂定的。", renew)
    elif day.year == PUBLISHED_UNTIL.year and day.month >= 11:
        yield Finding("工作日历", WARN, f"{words}跨年的时限是暂定的。", renew)
    else:
        yield Finding("工作日历", GOOD, words)


def _assets() -> Iterator[Finding]:
    """界面：打包的样式和脚本与源文件一致。"""
    from liangzhu.site import assets

    if wrong := assets.stale():
        yield Finding("界面", WARN, wrong, assets.TODO)
    else:
        yield Finding("界面", GOOD, "样式和脚本已打包。")


def _printing() -> Iterator[Finding]:
    """PDF：Pango 和中文字体。"""
    try:
        import weasyprint  # noqa: F401 - whether it loads is the question
    except OSError as error:
        yield Finding(
            "PDF",
            WARN,
            f"缺少 Pango（{error}），不能导出 PDF。",
            "运行 apt-get install libpango-1.0-0 libpangoft2-1.0-0",
        )
        return
    fonts = _output(["fc-list", ":lang=zh", "family"])
    if fonts:
        yield Finding("PDF", GOOD, f"Pango 和中文字体可用（{fonts.splitlines()[0].split(',')[0]} 等）。")
    else:
        yield Finding("PDF", WARN, "没有中文字体，导出的 PDF 会缺字。", "运行 apt-get install fonts-noto-cjk")


def _browser() -> Iterator[Finding]:
    """浏览器：只有测试用。"""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        yield Finding("浏览器", GOOD, f"{found}（只有测试用）")
    else:
        yield Finding(
            "浏览器",
            WARN,
            "没有 Chromium，浏览器测试不能运行；服务不受影响。",
            "运行 apt-get install chromium",
        )


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
