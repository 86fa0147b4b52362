"""The command line ``liangzhu``. Only the commands that need Django set it up, so that small ones answer at once.

Exit status: 0 done, 1 the answer is no or something must be done, 2 wrong use or unreadable input, 3 (``plan
read``) a text that is no plan.
"""

import json
import os
import signal
import sys
import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from liangzhu.kernel import stopping
from liangzhu.kernel.errors import Problem
from liangzhu.site import config

if TYPE_CHECKING:
    from liangzhu.pillars.programme.reading import ReadingError

PARTS = {
    "person": [
        ("value", "号码"),
        ("region", "地址码"),
        ("birth_date", "出生日期"),
        ("sex", "性别"),
        ("sequence", "顺序码"),
        ("check", "校验位"),
    ],
    "enterprise": [
        ("value", "代码"),
        ("authority_name", "登记管理部门"),
        ("category_name", "机构类别"),
        ("region", "登记机关区划码"),
        ("body", "主体标识码"),
        ("check", "校验位"),
    ],
    "organisation": [("hyphenated", "代码"), ("body", "本体代码"), ("check", "校验位")],
    "certificate": [
        ("value", "标识"),
        ("type", "证照类型"),
        ("issuer", "颁发机构"),
        ("serial", "流水号"),
        ("version", "版本号"),
        ("check", "校验位"),
    ],
    "item": [
        ("value", "编码"),
        ("form", "形式"),
        ("area", "区划代码"),
        ("task_type_name", "事项类型"),
        ("department", "部门代码"),
        ("main", "主项"),
        ("sub", "子项"),
        ("implementer", "实施机构"),
        ("level_name", "行使层级"),
        ("handling", "办理项顺序号"),
    ],
}
"""The kinds of `id check` and what it prints of each: attribute and Chinese label."""

INTERRUPTED = 130
"""The status of a command that was asked to stop: 128 and the number of the signal."""

WORDS = {
    "male": "男",
    "female": "女",
    "basic": "基本编码",
    "implementation": "实施编码",
    "handling": "业务办理项编码",
}


class ChineseGroup(click.Group):
    """A group of commands whose usage errors are in Chinese."""

    def main(self, *args, **kwargs) -> NoReturn:
        """Run; problems go to standard error as what happened and what to do."""
        kwargs["standalone_mode"] = False
        with stopping.watching():
            try:
                status = self._run(*args, **kwargs)
            except SystemExit as ended:
                status = ended.code
            if stopping.asked() and status != INTERRUPTED:
                status = self._interrupted()
        sys.exit(status if isinstance(status, int | str) else 0)

    @staticmethod
    def _interrupted() -> int:
        _complain("已中断；没有做完的步骤，下次运行时从头再做。")
        return INTERRUPTED

    def _run(self, *args, **kwargs) -> object:
        try:
            status = super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as nothing:
            nothing.show()
            status = 2
        except click.UsageError as error:
            _complain(_in_chinese(error))
            if error.ctx:
                _complain(f"用法见：{error.ctx.command_path} --help")
            status = 2
        except (click.Abort, KeyboardInterrupt):
            status = self._interrupted()
        except Problem as problem:
            _complain(f"{problem.title}：{problem.detail}")
            _complain(problem.todo)
            status = 1
        except Exception as error:
            if stopping.asked():
                # SQLite turns what is raised inside a function that it calls into an error of its own.
                return self._interrupted()
            if _no_tables(error):
                _complain("这个安装还没有建库，或者数据库连不上。")
                _complain("请先运行 liangzhu up；仍不行时运行 liangzhu doctor 看原因。")
                sys.exit(1)
            if not isinstance(error, (config.SettingError, _pack_error())):
                raise
            _complain(str(error))
            status = 2
        return status


def _no_tables(error: Exception) -> bool:
    """Whether a database error says that nothing is installed there yet. Django may not even be loaded."""
    return type(error).__module__ == "django.db.utils" and type(error).__name__ in (
        "OperationalError",
        "ProgrammingError",
    )


def _pack_error() -> type[ValueError]:
    from liangzhu.kernel.pack import PackError

    return PackError


def _name_of(error: click.MissingParameter) -> str:
    """What is missing, as one types it: the name of an option, or what an argument stands for."""
    if error.param is None:
        return "参数"
    if isinstance(error.param, click.Option):
        return f"选项 {error.param.opts[0]}（{error.param.help or error.param.prompt or ''}）"
    return error.param.make_metavar(error.ctx)


def _in_chinese(error: click.UsageError) -> str:
    match error:
        case click.NoSuchOption():
            return f"没有选项 {error.option_name}。"
        case click.exceptions.NoSuchCommand():
            return f"没有命令 {error.command_name}。"
        case click.MissingParameter():
            return f"缺少 {_name_of(error)}。"
        case click.BadOptionUsage():
            return f"选项 {error.option_name} 缺少值。"
        case click.UsageError(message=message) if message.startswith("Got unexpected extra argument"):
            return "参数太多。"
        case _:
            return error.message


def _complain(text: str) -> None:
    click.echo(text, err=True)


class Day(click.ParamType):
    """A day as YYYY-MM-DD."""

    name = "date"

    def convert(self, value, param, ctx) -> date:
        """Read it, or say how it is written."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}”不是日期；请写成 2022-10-20。", param, ctx)


class Whole(click.ParamType):
    """A whole number within bounds."""

    name = "number"

    def __init__(self, low: int, high: int):
        self.low, self.high = low, high

    def convert(self, value, param, ctx) -> int:
        """Read it, or say which numbers are possible."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"“{value}”不是整数。", param, ctx)
        if not self.low <= number <= self.high:
            self.fail(f"{number} 超出范围，应在 {self.low} 到 {self.high} 之间。", param, ctx)
        return number


class Word(click.Choice):
    """One of several words."""

    def get_invalid_choice_message(self, value, ctx) -> str:
        """Say which words are known."""
        return f"不认识“{value}”；可用：{'、'.join(self.choices)}。"


@click.group(cls=ChineseGroup, help="梁柱：区县数字政府一体化平台。")
def main() -> None:
    """The entry point."""


def set_up_django() -> None:
    """Set Django up, and stand on the demonstration day if this installation is a demonstration."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liangzhu.site.settings")
    import django

    django.setup()
    if found := config.unknown():
        _complain(f"不认识的设置：{'、'.join(found)}。写法见 docs/settings.md。")
    from liangzhu.site import loading

    loading.stand_on_demo_day()


# Running it -----------------------------------------------------------------------------------------------------------


@main.command(short_help="启动：建库、载入资料包、提供门户、工作台和后台服务")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8000, show_default=True, type=Whole(1, 65535), help="监听端口")
@click.option(
    "--demo/--no-demo",
    default=None,
    help="演示或正式安装；省略时沿用数据库现状，空库按演示",
)
@click.option("--workers", default=None, type=Whole(1, 64), help="网页服务进程数，省略时按处理器数")
def up(host: str, port: int, demo: bool | None, workers: int | None) -> None:
    """建库、载入资料包，然后提供服务；Ctrl-C 结束全部进程。"""
    from liangzhu.site import assets, serving

    serving.require_free_port(host, port)
    if wrong := assets.stale():
        _complain(f"注意：{wrong}{assets.TODO}")
    if serving.is_loopback(host):
        # What is issued here carries QR codes; they lead to where it is served.
        os.environ.setdefault("LIANGZHU_ADDRESS", f"http://localhost:{port}")
    set_up_django()
    from django.conf import settings

    from liangzhu.site import loading

    loading.migrate()
    demo = loading.settle_kind(demo)
    serving.require_own_secrets(
        host,
        own_key=settings.LIANGZHU_OWN_KEY,
        own_master=settings.LIANGZHU_OWN_MASTER_KEY,
        demo_accounts=demo,
    )
    if not serving.is_loopback(host):
        serving.require_served_safely(host)
    loading.load(demo=demo, say=click.echo)
    if settings.LIANGZHU_DEMO_DATE:
        os.environ["LIANGZHU_DEMO_DATE"] = settings.LIANGZHU_DEMO_DATE.isoformat()
    beside = []
    if demo:
        from liangzhu.site import simulators

        beside = simulators.beside(avoid=port)

    def ready() -> None:
        click.echo("\n".join(_banner(host, port, demo)))

    sys.exit(serving.serve(host, port, workers or serving.default_workers(), ready, beside))


def _banner(host: str, port: int, demo: bool) -> list[str]:
    from django.conf import settings

    from liangzhu.beams.people.access import api as access
    from liangzhu.kernel.pack import pack
    from liangzhu.site import loading, serving

    shown = "localhost" if serving.is_loopback(host) else host
    lines = ["", f"梁柱已启动：http://{shown}:{port}"]
    if demo:
        lines.append(f"演示日期：{settings.LIANGZHU_DEMO_DATE}（所有时限按这一天计算）")
        lines.append(f"演示账号（密码都是 {access.demo_password(pack())}）：")
        accounts = loading.demo_accounts()
        wide = max(len(account.username) for account in accounts) + 2
        lines += [f"  {one.username:<{wide}}{one.roles}：{one.name}，{one.post}" for one in accounts]
        lines.append("群众和企业：在门户点“登录”，由省统一身份认证的模拟器选一个虚构的人。")
    lines.append("按 Ctrl-C 结束。")
    return lines


@main.command(short_help="只运行后台进程：投递事件、定时任务")
def worker() -> None:
    """投递事件、运行定时任务，直到收到结束信号。可以同时运行多个。"""
    set_up_django()
    from liangzhu.kernel.worker import work
    from liangzhu.site import serving

    serving.guard()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    work(stop)


@main.command(short_help="运行一个外部系统的模拟器（只在本机）")
@click.argument("name", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址，只能是本机")
@click.option("--port", default=None, type=Whole(1, 65535), help="监听端口；省略时用各自惯用的")
@click.option("--quiet", is_flag=True, help="不打印地址和设置")
def simulate(name: str | None, host: str, port: int | None, quiet: bool) -> None:
    """运行一个外部系统的模拟器，直到 Ctrl-C；不写名称时列出有哪些。它的 /config 可以让它变慢、出错、不回答。"""
    from liangzhu.kernel.simulating import NotLoopback
    from liangzhu.site import serving, simulators

    known = simulators.all_simulators()
    if name is None:
        for one in known.values():
            click.echo(f"{one.name:<24}{one.title}，惯用端口 {one.port}")
        return
    if name not in known:
        raise click.UsageError(f"没有模拟器 {name}；可用：{'、'.join(known)}。")
    one = known[name]
    try:
        simulators.run(one, host, port or one.port, (lambda line: None) if quiet else click.echo)
    except NotLoopback as error:
        raise serving.NotBeyondLoopback(str(error), todo="请用 --host 127.0.0.1。") from None


@main.command(short_help="建立或升级数据库结构")
def migrate() -> None:
    """建立或升级数据库结构。"""
    set_up_django()
    from liangzhu.site import loading

    done = loading.migrate()
    click.echo(f"已执行 {len(done)} 个升级步骤。" if done else "数据库结构已是最新。")


@main.command(short_help="载入资料包（可以重复运行）")
@click.option("--demo/--no-demo", default=None, help="演示或正式安装；省略时沿用数据库现状，空库按演示")
def load(demo: bool | None) -> None:
    """载入资料包；人工改过的内容不会被覆盖。"""
    set_up_django()
    from liangzhu.site import loading

    loading.migrate()
    loading.load(demo=loading.settle_kind(demo), say=click.echo)


@main.command("make-district", short_help="生成一个虚构的地区，用于试用、压力测试和演练")
@click.option(
    "--people",
    default=600_000,
    show_default=True,
    type=Whole(0, 5_000_000),
    help="居民数，决定有多少工作人员",
)
@click.option(
    "--matters", "number", default=10_000, show_default=True, type=Whole(1, 20_000_000), help="事项数"
)
@click.option(
    "--seed", default=1, show_default=True, type=Whole(0, 2**31), help="种子：同样的种子生成同样的内容"
)
@click.option("--home", type=click.Path(path_type=Path), help="安装目录；省略时用 LIANGZHU_HOME")
@click.option("--add", is_flag=True, help="允许加在已有事项的演示数据上")
def make_district(people: int, number: int, seed: int, home: Path | None, add: bool) -> None:
    """生成虚构的人员、账号和事项；中断后用同样的参数再运行会接着做完。只用于演示安装。"""
    if home:
        os.environ["LIANGZHU_HOME"] = str(home.absolute())
    set_up_django()
    from liangzhu.site import district

    district.make(people=people, number=number, seed=seed, add=add, say=click.echo)


def _passphrase(file: Path | None) -> str:
    """The first line of a file."""
    if file is None:
        return ""
    try:
        words = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise click.UsageError(f"口令文件 {file} 读不出来：{error.strerror}。") from error
    if not words or len(words[0].strip()) < 12:
        raise click.UsageError(f"口令文件 {file} 的第一行应是至少 12 个字符的口令。")
    return words[0].strip()


@main.command(short_help="备份：数据库、附件、树头和清单，写成一个文件；照常服务")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="用这个文件第一行的口令加密（SM4）")
def backup(file: Path, passphrase_file: Path | None) -> None:
    """备份成一个文件；做完才出现，写不下时不留半个文件。由设置给出的密钥不在备份里，请另行保管。"""
    passphrase = _passphrase(passphrase_file)
    set_up_django()
    from liangzhu.site import backup as backing

    manifest = backing.backup(file, passphrase=passphrase, say=click.echo)
    click.echo(f"已备份到 {file}，{file.stat().st_size / 1024 / 1024:,.1f} MB。")
    if manifest["own_keys"] and not passphrase:
        click.echo("注意：备份里有程序自己生成的密钥，拿到文件的人就能解读全部内容。请加 --passphrase-file。")


@main.command(short_help="恢复：先核对备份，再装入一个空的安装，最后核验日志")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--home", type=click.Path(path_type=Path), help="安装目录；省略时用 LIANGZHU_HOME")
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="备份时用的口令文件")
@click.option(
    "--forgotten",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="比备份更新的删除台账（原安装目录里的 forgotten.jsonl），按它重新删除",
)
def restore(file: Path, home: Path | None, passphrase_file: Path | None, forgotten: Path | None) -> None:
    """恢复到空目录和空数据库；备份旧于程序时接着升级，备份之后依规删除的重新删除。核验不符时退出状态为 1。"""
    if home:
        os.environ["LIANGZHU_HOME"] = str(home.absolute())
    passphrase = _passphrase(passphrase_file)
    set_up_django()
    from liangzhu.site import backup as backing

    manifest = backing.check(file, passphrase=passphrase)
    click.echo(
        f"备份完好：{manifest['made_at']}，{sum(manifest['rows'].values()):,} 行，{manifest['files']} 个附件。"
    )
    backing.restore(file, manifest=manifest, passphrase=passphrase, ledger=forgotten, say=click.echo)
    sys.exit(0 if _after_restore() else 1)


def _after_restore() -> bool:
    """Build again what is derived, and verify the log; returns whether it is what was signed."""
    from django.db import transaction

    from liangzhu.beams.work.matters import api as matters
    from liangzhu.kernel.log.verifying import verify

    with transaction.atomic():
        matters.rebuild_search(lambda count: None)
    report = verify()
    for finding in report.findings:
        _complain(f"✗ {finding.detail}\n    → {finding.todo}")
    if report.ok:
        click.echo(f"日志 {report.leaves:,} 条，全部相符，树根 {report.root}")
    return report.ok


@main.command(short_help="检查设置、数据库、后台进程、日历和密钥，并说明怎么办")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def doctor(as_json: bool) -> None:
    """逐项检查这个安装；有必须处理的问题时退出状态为 1。"""
    from liangzhu.site import doctor as examination

    findings = examination.examine()
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.mark} {finding.name}：{finding.detail}")
            if finding.todo:
                click.echo(f"    → {finding.todo}")
    sys.exit(1 if any(finding.level == examination.BAD for finding in findings) else 0)


@main.group("search", short_help="检索索引")
def search_index() -> None:
    """检索索引。"""


@search_index.command("rebuild", short_help="重建检索索引和收件箱的可见范围")
@click.option("--missing", is_flag=True, help="只补缺少的，不动已有的")
def search_rebuild(missing: bool) -> None:
    """从事项重建检索索引和可见范围；更换密钥或批量导入以后运行。重建在一个事务里，期间照常服务。"""
    set_up_django()
    from django.db import transaction

    from liangzhu.beams.work.matters import api as matters

    with transaction.atomic():
        done = matters.rebuild_search(lambda count: click.echo(f"  {count} 件"), only_missing=missing)
    click.echo(f"已收录 {done} 件事项。")


# Small tools ----------------------------------------------------------------------------------------------------------


@main.group("plan", short_help="读方案文件")
def plan() -> None:
    """读方案文件。"""


@plan.command("read", short_help="读出方案的文号、章、条、责任单位、时限和目标")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def plan_read(file: Path, as_json: bool) -> None:
    """读一份方案（.txt .docx .html 或带文字的 .pdf）。"""
    from liangzhu.pillars.programme import reading

    try:
        found = reading.read_file(file)
    except reading.NotAPlan as problem:
        _fail(problem, 3)
    except reading.ReadingError as problem:
        _fail(problem, 2)
    if as_json:
        click.echo(json.dumps(reading.to_json(found), ensure_ascii=False, indent=2))
        return
    for line in _plan_in_words(reading.to_json(found)):
        click.echo(line)


def _fail(error: "ReadingError", status: int) -> NoReturn:
    _complain(error.message)
    _complain(error.todo)
    sys.exit(status)


def _plan_in_words(found: dict) -> list[str]:
    tasks = [each for each in found["articles"] if each["lead"] or each["helpers"] or each["open_sets"]]
    lines = [
        found["title"],
        f"文号 {found['number'] or '（未读出）'}　发文 {found['issuer'] or '（未读出）'}　成文 {found['date'] or '（未读出）'}",
        f"共 {len(found['articles'])} 条，其中 {len(tasks)} 条有责任单位；引用文件 {len(found['cites'])} 份。",
        "",
    ]
    chapter = None
    for article in found["articles"]:
        if article["chapter"] != chapter:
            chapter = article["chapter"]
            lines.append(f"【{chapter}】")
        lines.append(f"{article['no']:>3}. {article['title']}")
        if article in tasks:
            helpers = "、".join([*article["helpers"], *article["open_sets"]])
            lead = article["lead"] or "（未写明）"
            lines.append(f"     牵头 {lead}" + (f"；配合 {helpers}" if helpers else ""))
        lines += [
            f"     时限 {found['text']} → {found['date'] or '（未定）'}" for found in article["deadlines"]
        ]
        lines += [
            f"     目标 {found['name']} {found['op']} {found['value']}{found['unit']}"
            for found in article["targets"]
        ]
    if found["doubts"]:
        lines += ["", "请人工确认："]
        lines += [f"  第{doubt['article']}条“{doubt['text']}”：{doubt['why']}" for doubt in found["doubts"]]
    return lines


@main.group("id", short_help="核对证照号码")
def identifier() -> None:
    """核对证照号码。"""


@identifier.command("check", short_help="核对一个号码，退出状态 0 有效、1 无效")
@click.argument("kind", type=Word(tuple(PARTS)))
@click.argument("value")
def identifier_check(kind: str, value: str) -> None:
    """核对号码并列出各部分；不对时指出哪一部分、为什么。"""
    from liangzhu.kernel.identifiers import KINDS, IdentifierError, check

    try:
        found = check(kind, value, not_after=_today())
    except IdentifierError as wrong:
        _complain(f"无效：{wrong.message}")
        _complain(wrong.todo)
        sys.exit(1)
    click.echo(f"有效：{KINDS[kind].label}")
    for name, label in PARTS[kind]:
        part = getattr(found, name)
        if part is not None:
            text = str(getattr(part, "value", part))
            click.echo(f"  {label}：{WORDS.get(text, text)}")


def _today() -> date:
    """Today, without an installation: only the demonstration day is read from the environment."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(LIANGZHU_DEMO_DATE=config.read("LIANGZHU_DEMO_DATE"))
    from liangzhu.kernel.now import today

    return today()


@main.group("workdays", short_help="计算工作日")
def workdays() -> None:
    """计算工作日。"""


# A negative number is a count, not an option.
@workdays.command(
    "add", short_help="某日起第 N 个工作日是哪一天", context_settings={"ignore_unknown_options": True}
)
@click.argument("start", type=Day(), metavar="DATE")
@click.argument("count", type=Whole(-10000, 10000), metavar="N")
def workdays_add(start: date, count: int) -> None:
    """起日不计入，第 N 个工作日为到期日；超出已公布日历的结果标“暂定”。"""
    from liangzhu.kernel.workdays import WorkCalendar

    due = WorkCalendar(_local_days()).add(start, count)
    click.echo(f"{due.date}{'（暂定：途经尚未公布放假安排的日子）' if due.provisional else ''}")
    for day in due.skipped:
        click.echo(f"  {day.date} {'上班' if day.workday else '不计'}：{day.reason}")


def _local_days() -> dict[date, tuple[bool, str]]:
    """The district's own exceptions, if there is a database that holds them."""
    home = config.read("LIANGZHU_HOME")
    if not config.read("LIANGZHU_DATABASE") and not (home / "liangzhu.sqlite3").exists():
        return {}
    set_up_django()
    from django.db import DatabaseError

    from liangzhu.kernel.models import DayOverride

    try:
        return {row.date: (row.workday, row.reason) for row in DayOverride.objects.all()}
    except DatabaseError as error:
        _complain(f"没有读到本地调整（{error}），只按国家日历计算。")
        return {}


@main.group("process", short_help="办理流程")
def process() -> None:
    """办理流程。"""


@process.command("draw", short_help="画出一个流程")
@click.argument("key_or_file", metavar="KEY|FILE")
@click.option("--format", "form", type=Word(("svg", "mermaid", "bpmn")), default="svg", show_default=True)
def process_draw(key_or_file: str, form: str) -> None:
    """画出一个流程：给出流程名（生效版本；还没有建库时，随程序的版本），或 .toml、.bpmn 文件。"""
    set_up_django()
    from liangzhu.beams.work.matters import api as matters

    click.echo(matters.draw_process(_process_text(key_or_file), form))


@process.command("read", short_help="检查一个流程文件；BPMN 图转成流程文件")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
def process_read(file: str) -> None:
    """检查 .toml 或 .bpmn 文件，打印流程文件；有问题时逐条指出在第几行。"""
    set_up_django()
    click.echo(_process_text(file), nl=False)


def _process_text(key_or_file: str) -> str:
    """The text of a process: of a file, of the release in force, or of the file that comes with the program."""
    from django.db import DatabaseError

    from liangzhu.beams.work.matters import api as matters

    file = Path(key_or_file)
    if file.suffix in (".toml", ".bpmn", ".xml"):
        return matters.read_process_file(file)
    try:
        return matters.process_text(key_or_file)
    except DatabaseError:
        return matters.shipped_process_text(key_or_file)


@main.group("form", short_help="表单")
def form() -> None:
    """表单。"""


@form.command("check", short_help="检查一个表单文件")
@click.argument("file", type=click.Path(path_type=Path))
def form_check(file: Path) -> None:
    """检查一个表单文件；有误时列出文件和行，退出状态 1。"""
    set_up_django()
    from liangzhu.beams.work.forms import api as forms

    found = forms.read_form(file)
    count = sum(1 for _ in found.all_fields())
    click.echo(f"《{found.title}》通过检查：{len(found.steps)} 步，{count} 个填写项。")


@form.command("show", short_help="列出一张表单问些什么")
@click.argument("key_or_file", metavar="KEY|FILE")
def form_show(key_or_file: str) -> None:
    """列出一张表单的步骤和填写项。"""
    set_up_django()
    from liangzhu.beams.work.forms import api as forms

    file = Path(key_or_file)
    found = forms.read_form(file) if file.suffix == ".json" else forms.in_force(key_or_file)
    click.echo(f"{found.title}" + (f"（第 {found.release} 版）" if found.release else ""))
    for place, step in enumerate(found.steps, 1):
        click.echo(f"{place}. {step.title}{'（视条件出现）' if step.show_if else ''}")
        for one in step.fields:
            if one.takes:
                click.echo(f"   {one.name}  {one.label}：{'；'.join(forms.field_words(found, one))}")
    for one in found.cosigners:
        click.echo(f"签署：{one.title}{'' if one.required else '（可以不请）'}")


@main.group("rule", short_help="决策表")
def rule() -> None:
    """决策表。"""


@rule.command("check", short_help="检查一个规则文件：重叠、缺口、例子")
@click.argument("file", type=click.Path(path_type=Path))
def rule_check(file: Path) -> None:
    """检查一个规则文件；有误时列出文件和行，退出状态 1。"""
    set_up_django()
    from liangzhu.beams.work.decisions import api as decisions

    found = decisions.read_rule(file)
    click.echo(f"《{found.title}》通过检查：{len(found.rows)} 行，{len(found.examples)} 个例子都成立。")


@rule.command("export", short_help="把一张决策表写成 DMN")
@click.argument("key_or_file", metavar="KEY|FILE")
def rule_export(key_or_file: str) -> None:
    """把一张决策表（生效版本或 .json 文件）写成 DMN 1.4，打印出来。"""
    set_up_django()
    from liangzhu.beams.work.decisions import api as decisions

    file = Path(key_or_file)
    table = decisions.read_rule(file) if file.suffix == ".json" else decisions.in_force(key_or_file)
    click.echo(decisions.to_dmn(table), nl=False)


@rule.command("import", short_help="把 DMN 转成规则文件")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def rule_import(file: Path) -> None:
    """把 DMN 文件转成规则文件并打印；放不下的内容逐项指出。转出的文件再用 rule check 检查。"""
    set_up_django()
    from liangzhu.beams.work.decisions import api as decisions

    click.echo(decisions.from_dmn(file.read_text(encoding="utf-8")), nl=False)


@rule.command("ask", short_help="问一张决策表，说明按哪一行、为什么")
@click.argument("key_or_file", metavar="KEY|FILE")
@click.argument("inputs", metavar="JSON", required=False, default="{}")
@click.option("--on", "day", help="在哪一天，例如 2022-10-20；省略为今天")
def rule_ask(key_or_file: str, inputs: str, day: str | None) -> None:
    """问一张决策表，例如：rule ask clinic_route '{"kind": "clinic", "xray": false}' --on 2022-06-01。"""
    set_up_django()
    from liangzhu.beams.work.decisions import api as decisions
    from liangzhu.kernel.now import today

    try:
        given = json.loads(inputs)
        on = date.fromisoformat(day) if day else today()
    except ValueError:
        raise click.UsageError("输入应是 JSON 对象，日期应写成 2022-10-20。") from None
    if not isinstance(given, dict):
        raise click.UsageError('输入应是 JSON 对象，例如 \'{"kind": "clinic"}\'。')
    file = Path(key_or_file)
    table = decisions.read_rule(file) if file.suffix == ".json" else decisions.in_force(key_or_file)
    found = decisions.decide_by(table, given, on)
    for title, words in found.words:
        click.echo(f"{title}：{words}")
    for one in found.trace:
        word = "采用" if one.used else "命中" if one.hit else "差一点" if one.near else "未命中"
        click.echo(f"  第 {one.number} 行 {word}：{one.missed or one.basis}")


@main.group("items", short_help="政务服务事项")
def service_items() -> None:
    """政务服务事项：检查、导入、导出、查找。"""


@service_items.command("check", short_help="检查全部事项，有必须改正的退出状态为 1")
@click.option("--rule", default="", help="只看一条规则，例如 P12")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def items_check(rule: str, as_json: bool) -> None:
    """对每个事项（在用的，没有在用的取草稿）逐条检查，按单位和规则计数。"""
    set_up_django()
    from liangzhu.kernel.actors import SYSTEM
    from liangzhu.pillars.services import api as services

    titles = services.rules()
    if rule and rule not in titles:
        raise click.UsageError(f"没有规则 {rule}；可用：{'、'.join(titles)}。")
    found = services.examine(SYSTEM, rule=rule)
    if as_json:
        lines = [
            {"item": row.item.key, "name": row.shown.name, "unit": row.unit, "rule": one.rule, "level": one.level,
             "element": one.element, "message": one.message, "fix": one.fix}
            for row, one in found.rows
        ]  # fmt: skip
        click.echo(
            json.dumps(
                {"items": found.items, "clean": found.clean, "rules": dict(found.rules), "findings": lines},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for row, one in found.lines:
            click.echo(
                f"{'必须改' if one.blocks else '提示'} {one.rule or '缺项'} {row.shown.name}（{row.unit}）：{one.message}"
            )
        click.echo(f"共 {found.items} 个事项，{found.clean} 个没有问题；必须改 {found.errors} 处。")
        for code, count in sorted(found.rules.items()):
            click.echo(f"  {code} {titles[code]}：{count}")
        for unit, (total, wrong, errors, warnings) in sorted(found.units.items()):
            click.echo(
                f"  {unit or '（未知）'}：{total} 个事项，{wrong} 个有错，错 {errors} 处，提示 {warnings} 处"
            )
    sys.exit(1 if found.errors else 0)


@service_items.command("import", short_help="导入事项，收为草稿；逐行报告")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--title", default="", help="来源的名称；省略时用文件名")
@click.option(
    "--unit", "units", multiple=True, metavar="NAME=KEY", help="来源里的实施主体对应本区哪个单位，可以写多次"
)
@click.option("--rest", default="", metavar="KEY", help="名录里找不到的实施主体都归这个单位")
def items_import(file: Path, title: str, units: tuple[str, ...], rest: str) -> None:
    """导入 json、csv、xlsx：国家表结构或一般清单。每一行都留有原始记录；没有收入的写明原因。"""
    pairs = dict(one.partition("=")[::2] for one in units)
    if not all(pairs.values()):
        raise click.UsageError("--unit 应写成 名称=单位的键，例如 --unit 区经信局=gongxinju。")
    set_up_django()
    from liangzhu.kernel.actors import SYSTEM
    from liangzhu.pillars.services import api as services

    batch = services.import_items(
        SYSTEM, title=title or file.name, data=file.read_bytes(), name=file.name, units=pairs, rest=rest
    )
    click.echo(f"收入 {batch.taken}，没有变化 {batch.unchanged}，未收入 {batch.refused}。")
    for reason, count in services.refusals(batch):
        click.echo(f"  {count} 行：{reason}")
    if lost := services.unmapped(batch):
        click.echo(
            f"没有对应列或者放不下、留在来源记录里的：{'、'.join(f'{name}（{count} 行）' for name, count in lost)}"
        )


@service_items.command("import-policies", short_help="导入政策文件，收为草稿；逐行报告")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--unit", required=True, metavar="KEY", help="归集单位的键")
@click.option("--title", default="", help="来源的名称；省略时用文件名")
@click.option("--issuer", default="", help="没有写发文单位的行按它算")
@click.option("--published-on", type=click.DateTime(["%Y-%m-%d"]), help="没有写公布日期的行按它算")
def policies_import(file: Path, unit: str, title: str, issuer: str, published_on) -> None:
    """导入 json、csv、xlsx：每行一份政策文件。每一行都留有原始记录；没有收入的写明原因。什么都不会自动发布。"""
    set_up_django()
    from liangzhu.beams.people.directory import api as directory
    from liangzhu.kernel.actors import SYSTEM
    from liangzhu.pillars.services import api as services

    batch = services.import_policies(
        SYSTEM,
        title=title or file.name,
        data=file.read_bytes(),
        name=file.name,
        unit_id=directory.resolve_unit(unit).id,
        issuer=issuer,
        published_on=published_on.date() if published_on else None,
    )
    click.echo(f"收入 {batch.taken}，已有 {batch.unchanged}，未收入 {batch.refused}。")
    for reason, count in services.refusals(batch):
        click.echo(f"  {count} 行：{reason}")


@service_items.command("export", short_help="导出在用的全部事项：.json .csv .xlsx 国家表结构")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def items_export(file: Path) -> None:
    """按文件名的后缀选择格式。"""
    set_up_django()
    from liangzhu.pillars.services import api as services

    form = file.suffix.removeprefix(".")
    if form not in services.WRITERS:
        raise click.UsageError(f"不能写成 {form or '没有后缀的文件'}；可用：{'、'.join(services.WRITERS)}。")
    sheets = services.published_sheets()
    file.write_bytes(services.WRITERS[form][1](sheets))
    click.echo(f"已导出 {len(sheets)} 个事项到 {file}。")


@service_items.command("find", short_help="用日常的话查事项")
@click.argument("words")
def items_find(words: str) -> None:
    """查找，列出最像的几个，例如：items find 想摆个早餐摊。"""
    set_up_django()
    from liangzhu.pillars.services import api as services

    found = services.find(words, limit=5)
    for one in found:
        click.echo(f"{one.score:.2f} {one.key:<20}{one.name}（像“{one.phrase}”）")
    if not found:
        click.echo("没有找到。换个说法，或者打电话问。")
    sys.exit(0 if found else 1)


@main.group("keys", short_help="密钥")
def keys() -> None:
    """密钥：按用途分版本，新版本签名和加密，旧版本永远可以验签和解密。"""


@keys.command("list", short_help="列出各用途的密钥版本")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def keys_list(as_json: bool) -> None:
    """列出各用途的密钥版本；公钥可以公开，其余不显示。"""
    set_up_django()
    from liangzhu.kernel import keys as kept
    from liangzhu.kernel.models import Key

    rows = [
        {
            "id": row.id_text,
            "title": kept.purpose(row.purpose).title,
            "kind": kept.purpose(row.purpose).kind,
            "created_at": row.created_at.isoformat(timespec="seconds"),
            "master": row.master,
            "public": bytes(row.public).hex(),
        }
        for row in Key.objects.order_by("purpose", "version")
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(
            f"{row['id']:<12}{row['title']}（{row['kind'].upper()}）  {row['created_at']}  主密钥 {row['master']}"
        )
        if row["public"]:
            click.echo(f"{'':<12}公钥 {row['public']}")


@keys.command("rotate", short_help="为一个用途换新密钥")
@click.argument("purpose")
def keys_rotate(purpose: str) -> None:
    """为一个用途换新密钥；换盲索引（blind）的密钥要重新计算索引，请先停止服务。"""
    set_up_django()
    from liangzhu.kernel import keyring
    from liangzhu.kernel.actors import SYSTEM

    row = keyring.rotate(SYSTEM, purpose=purpose)
    click.echo(f"已启用 {row.id_text}；旧版本继续用于验签和解密。")


@keys.command("rewrap", short_help="更换主密钥：用现在的主密钥重新保护全部密钥")
def keys_rewrap() -> None:
    """用 LIANGZHU_MASTER_KEY 重新保护由原来的主密钥保护的密钥；数据不用重新加密。"""
    set_up_django()
    from django.conf import settings

    from liangzhu.kernel import keyring
    from liangzhu.kernel.actors import SYSTEM

    count = keyring.rewrap(SYSTEM)
    click.echo(f"{count} 个密钥已改由现在的主密钥保护。" if count else "全部密钥已由现在的主密钥保护。")
    left = settings.LIANGZHU_HOME / "master-key"
    if not settings.LIANGZHU_OWN_MASTER_KEY and left.exists():
        click.echo(f"确认备份可用后，请删除 {left}，并去掉 LIANGZHU_OLD_MASTER_KEY。")


@main.group("log", short_help="操作日志：树头、证明、核验")
def log() -> None:
    """操作日志：树头、证明、核验。"""


@log.command("head", short_help="最新的树头（存下它，以后用来核验）")
def log_head() -> None:
    """以 JSON 打印最新的树头；请存到本系统之外。"""
    set_up_django()
    from liangzhu.kernel.log import proofs

    click.echo(json.dumps(proofs.as_json(proofs.head_of()), ensure_ascii=False, indent=1))


@log.command("prove", short_help="一条日志的证明文件")
@click.argument("leaf", metavar="LEAF", type=Whole(0, 2**62))
@click.option("--out", type=click.Path(path_type=Path), help="写到这个文件；省略时打印")
@click.option("--details", is_flag=True, help="连内容一起写入，便于核对承诺值")
def log_prove(leaf: int, out: Path | None, details: bool) -> None:
    """一条日志（编号从 0 起）的证明：内容、路径、签名的树头和公钥；用 docs/verify/verify.py 离线核验。"""
    set_up_django()
    from liangzhu.kernel.log import leaf_proof

    text = json.dumps(leaf_proof(leaf, details=details), ensure_ascii=False, indent=1)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{out} 写不进去：{error.strerror}。") from error
    click.echo(f"已写入 {out}。核验：python docs/verify/verify.py proof {out}")


@log.command("verify", short_help="重算全部日志，指出被改、被删、被截去的")
@click.option(
    "--since-head",
    "saved",
    multiple=True,
    type=click.Path(path_type=Path),
    help="另存的树头或证明文件；可以给出多个",
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def log_verify(saved: tuple[Path, ...], as_json: bool) -> None:
    """由每一条日志和内容重算整棵树，核对每个树头、签名和 heads.txt；有不符时退出状态为 1。"""
    since = []
    for path in saved:
        try:
            since.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{path} 读不出来：{error}。") from error
    set_up_django()
    from liangzhu.kernel.log.verifying import verify

    try:
        report = verify(since, _progress)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
        sys.exit(0 if report.ok else 1)
    click.echo(
        f"日志 {report.leaves} 条，树头 {report.heads} 个，heads.txt 里 {report.file_heads} 个；"
        f"内容按规则销毁的 {report.destroyed} 条，等待入树的 {report.waiting} 条。"
    )
    for finding in report.findings:
        click.echo(f"✗ {finding.detail}\n    → {finding.todo}")
    if report.unlisted:
        click.echo(f"✗ 另有 {report.unlisted} 处，没有逐一列出。")
    click.echo(
        f"✓ 全部相符，树根 {report.root}"
        if report.ok
        else f"共 {len(report.findings) + report.unlisted} 处不符。"
    )
    sys.exit(0 if report.ok else 1)


def _progress(done: int, of: int) -> None:
    """One line now and then: a log of millions takes minutes."""
    if done % 102_400 == 0 and done:
        click.echo(f"已核验 {done} / {of} 条", err=True)


@main.group("retention", short_help="保存期限和依规销毁")
def retention() -> None:
    """保存期限和依规销毁。"""


@retention.command("due", short_help="按规则已经期满的事项")
def retention_due() -> None:
    """逐条列出保存期限的规则、依据、是否确认，以及已经期满的件数。不改任何东西。"""
    set_up_django()
    from liangzhu.beams.work.matters import api as matters

    for rule, count in matters.retention():
        state = f"待确认：{rule.unconfirmed}" if rule.unconfirmed else "已确认"
        click.echo(
            f"{rule.kind}（{rule.title}）保存 {rule.years} 年，期满 {count} 件；{state}；依据：{rule.source}"
        )


@retention.command("destroy", short_help="依经批准的清册销毁期满事项的内容")
@click.argument("kind", metavar="KIND")
@click.option("--approved", required=True, help="经批准的销毁清册的文号")
@click.option("--most", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="这次最多几件")
def retention_destroy(kind: str, approved: str, most: int) -> None:
    """销毁期满事项的内容和密钥，不可恢复；日志的叶留着，写明规则和清册。期限没有确认的种类不销毁。"""
    set_up_django()
    from liangzhu.beams.work.matters import api as matters
    from liangzhu.kernel.actors import SYSTEM

    count = matters.destroy_due(SYSTEM, kind=kind, approved=approved, most=most)
    click.echo(f"已销毁 {count} 件的内容。" if count else "没有期满的事项。")


@main.group("user", short_help="账号")
def user() -> None:
    """账号。"""


@user.command("add-admin", short_help="正式安装：建立第一个系统管理员")
@click.argument("username")
@click.option("--name", prompt="姓名", help="姓名；省略时询问")
@click.option("--unit", prompt="所在单位", help="所在单位（名称、简称或 key）；省略时询问")
def user_add_admin(username: str, name: str, unit: str) -> None:
    """建立系统管理员账号，打印一次性密码；首次登录须改密码。"""
    set_up_django()
    from liangzhu.site import loading

    password = loading.add_admin(username=username, name=name, unit=unit)
    click.echo(f"已建立系统管理员 {username}，一次性密码（只显示这一次）：{password}")


if __name__ == "__main__":
    main()
