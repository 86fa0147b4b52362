#!/usr/bin/env python3
"""The pictures of the guides (docs/guides/pictures), taken from the product as it is: ``make pictures``;
``tools/pictures.py PART …`` takes those of some parts only (each stands on the demonstration alone, except the first three).

Starts a demonstration of its own on a temporary home through the command line, signs in as its accounts, walks the
way of the guides (uploads docs/guides/example-plan.txt, issues, signs, reports …) and keeps what it sees as PNG with a
palette. Needs Chromium (`tools/system_packages`) and two minutes. The demonstration stands on its day; the time of day
runs on and is set to ten o'clock on the pictures, so that taking them again changes only what changed in the product.
"""

import contextlib
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

ROOT = Path(__file__).resolve().parents[1]
GUIDES = ROOT / "docs" / "guides"
PICTURES = GUIDES / "pictures"
PLAN = GUIDES / "example-plan.txt"
FORM, RULE = GUIDES / "example-form.json", GUIDES / "example-rule.json"
LIANGZHU = Path(sys.executable).with_name("liangzhu")

LARGEST = 150 * 1000
"""Bytes of one picture, at most: guides are read over slow lines too."""

COLOURS = (256, 128, 64)
"""Sizes of the palette to try, until a picture is small enough."""

TELLABLE = 12
"""Of 255: a difference in one channel that is the palette's, not the page's."""

SETTLE = 1500
"""Milliseconds until a page has said all it has to say by itself, such as that it kept what was typed."""

DESK, PHONE, WALL = (1440, 900), (360, 780), (1440, 810)

STILL = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const still = node.data.replace(/((?:今天|%(day)s|星期.) )\\d\\d:\\d\\d|\\d\\d:\\d\\d(?= 已在本机)/g, '$110:00');
    if (still !== node.data) node.data = still;
  }
}"""
"""Sets the running time of day still."""


class Walk:
    """The demonstration in a browser: one signed-in context for each account, pictures by name."""

    def __init__(self, browser: Browser, address: str, password: str, day: str, environment: dict[str, str]):
        self.browser, self.address, self.password = browser, address, password
        self.environment = environment
        self.still = STILL % {"day": re.sub(r"\d+-0?(\d+)-0?(\d+)", r"\1月\2日", day)}
        self.states: dict[str, dict] = {}

    @contextlib.contextmanager
    def page(self, account: str | None, path: str, size: tuple[int, int] = DESK) -> Iterator[Page]:
        """A page as an account (None: the public) at an address."""
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            storage_state=self.states.get(account),
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        try:
            if account and account not in self.states:
                page.goto("/account/login/")
                page.fill("[name=login]", account)
                page.fill("[name=password]", self.password)
                page.locator("main form [type=submit]").first.click()
                page.wait_for_url(lambda url: "/account/login" not in url)
                self.states[account] = context.storage_state()
            page.goto(path)
            yield page
        finally:
            context.close()

    def keep(
        self, page: Page, name: str, *parts: Locator, margin: int = 16, below: Locator | None = None
    ) -> None:
        """Keep what the window shows, or the box around some parts of it, cut at the window and at ``below``."""
        page.wait_for_load_state("networkidle")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement?.blur()")
        page.wait_for_timeout(SETTLE)
        page.evaluate(self.still)
        if parts:
            boxes = [box for part in parts if (box := part.bounding_box())]
            window = page.viewport_size
            left = max(0, min(box["x"] for box in boxes) - margin)
            top = max(0, min(box["y"] for box in boxes) - margin)
            right = min(window["width"], max(box["x"] + box["width"] for box in boxes) + margin)
            bottom = min(window["height"], max(box["y"] + box["height"] for box in boxes) + margin)
            if below and (edge := below.bounding_box()):
                bottom = min(bottom, edge["y"])
            clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
            save(page.screenshot(clip=clip, animations="disabled"), name)
        else:
            save(page.screenshot(animations="disabled"), name)


def save(shot: bytes, name: str) -> None:
    """Write a screenshot with a palette, unless only the palette differs from that of the picture that is there.

    Fails if no palette makes it small enough.
    """
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    target = PICTURES / f"{name}.png"
    for colours in COLOURS:
        reduced, file = image.quantize(colours, kmeans=1, dither=Image.Dither.NONE), io.BytesIO()
        reduced.save(file, "PNG", optimize=True)
        if file.tell() <= LARGEST:
            break
    else:
        raise SystemExit(f"{name}.png is larger than {LARGEST // 1000} kB; cut it closer.")
    if not (target.exists() and same(Image.open(target), reduced)):
        target.write_bytes(file.getvalue())
        print(f"{name}.png  {image.width}×{image.height}  {file.tell() // 1000} kB")


def same(before: Image.Image, after: Image.Image) -> bool:
    """Whether nobody could tell two pictures apart."""
    if before.size != after.size:
        return False
    extremes = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getextrema()
    return max(high for _, high in extremes) <= TELLABLE


def submit(page: Page, label: str) -> None:
    """Press a button of the page's forms, confirm where it asks, and wait for the answer."""
    page.get_by_role("main").get_by_role("button", name=label).last.click()
    dialog = page.locator("dialog[open]")
    with contextlib.suppress(PlaywrightTimeout):
        dialog.wait_for(timeout=700)
        dialog.get_by_role("button").first.click()
    page.wait_for_load_state("networkidle")


def scroll(page: Page, part: Locator, below: int = 96) -> None:
    """Bring a part under what stays at the top of the window."""
    part.evaluate("(node, below) => scrollTo(0, node.getBoundingClientRect().top + scrollY - below)", below)


# The walk, in the order of the guides ---------------------------------------------------------------------------------


def office_reads(walk: Walk) -> None:
    """Upload, review, open the ledger, issue."""
    with walk.page("office", "/programme/documents/upload/", (1440, 1200)) as page:
        page.set_input_files("input[type=file]", PLAN)
        submit(page, "上传")
        scroll(page, page.locator("#a3"), 118)
        walk.keep(page, "office-review", page.locator("#a3"), page.locator("#a4"), margin=0)
        for unit in ("公安海州分局", "区智慧城市管理中心"):
            page.goto(page.url.split("?")[0].split("#")[0] + "?show=unresolved")
            page.get_by_role("link", name="更正").first.click()
            page.locator("[name=value]").fill(unit)
            page.get_by_role("button", name="按此更正").click()
            page.wait_for_load_state("networkidle")
        page.goto(page.url.split("?")[0].split("#")[0])
        page.get_by_role("button", name="已核对").first.click()
        page.wait_for_load_state("networkidle")
        page.get_by_role("main").get_by_role("link", name="建账").click()
        submit(page, "建账")
        row = page.locator("tr", has_text="摸清服务点底数")
        row.get_by_role("checkbox").first.check()
        page.get_by_label("下达任务 3").check()
        row.get_by_text("从概称中选").click()
        walk.keep(page, "office-issue", page.locator("h1"), page.locator("form.issue-form"))
        row.get_by_text("逐个选").click()
        for street in ("朐阳街道办事处", "新海街道办事处"):
            row.get_by_label(street).check()
        submit(page, "下达所选任务")


def unit_works(walk: Walk) -> None:
    """Sign for a task, split it, report, and apply for closing; a helper on the telephone."""
    with walk.page("shenpiju", "/work/?scope=unit") as page:
        page.locator("a.row-title", has_text="大力开展数据汇聚治理攻坚行动").first.click()
        page.wait_for_load_state("networkidle")
        walk.keep(page, "unit-inbox")
        page.goto("/work/?scope=unit")
        page.locator("a.row-title", has_text="摸清服务点底数").first.click()
        submit(page, "签收")
        page.get_by_role("link", name="拆分节点").click()
        steps = (("逐点登记位置、设备和人员", "2022-10-31"), ("形成底数表，逐点核对", "2022-11-18"))
        for number, (title, day) in enumerate(steps, 1):
            page.fill(f"[name=title-{number}]", title)
            page.fill(f"[name=due_on-{number}]", day)
        walk.keep(page, "unit-split", page.locator("h1"), page.get_by_role("main").locator("form"))
        submit(page, "登记节点")
        matter = page.url.split("?")[0]
        for _ in steps:
            page.goto(matter)
            page.locator("a", has_text="报完成").first.click()
            page.fill("[name=result]", "已完成，两人交叉核对。")
            submit(page, "报完成")
        page.goto(matter)
        page.get_by_role("link", name="申请销号").click()
        page.fill("[name=result]", "全区服务点五十三处登记完毕，底数表逐点核对无误。")
        evidence = {
            "name": "服务点底数表.csv",
            "mimeType": "text/csv",
            "buffer": "镇街,服务点\n示例街道,3\n".encode(),
        }
        page.set_input_files("input[type=file]", evidence)
        submit(page, "申请销号")
        scroll(page, page.get_by_role("heading", name="附件"), 48)
        history = page.locator("ol.history").first
        walk.keep(page, "unit-history", page.get_by_role("heading", name="附件"), history)
    with walk.page("office", matter) as page:
        walk.keep(page, "office-check", page.locator(".content"), margin=0)
    with walk.page("jinping_zhen", "/work/?scope=helping", PHONE) as page:
        walk.keep(page, "unit-phone")


def office_supervises(walk: Walk) -> None:
    """A letter of urging, and what clauses are judged by."""
    with walk.page("office", "/programme/letters/", (1440, 1200)) as page:
        page.get_by_role("link", name="积极推进一网统管").click()
        page.wait_for_load_state("networkidle")
        walk.keep(page, "office-letter", page.locator(".page-head"), page.locator(".paper"))
    with walk.page("office", "/programme/checks/?document=1") as page:
        first = page.locator("tr", has_text="切实提升全领域数字治理能力")
        scroll(page, first, 40)
        rows = page.locator("tr", has_text="加快推进数字机关建设")
        walk.keep(page, "office-checks", first, rows, margin=0)


def leader_looks(walk: Walk) -> None:
    """How true the plan is, and the wall."""
    with walk.page("leader", "/programme/truth/?document=1") as page:
        below = page.get_by_role("heading", name="按单位")
        walk.keep(page, "leader-truth", page.locator(".content"), margin=0, below=below)
        main = page.get_by_role("main")
        main.locator(".stat", has_text="已逾期").get_by_role("link").click()
        walk.keep(page, "leader-clauses", main.locator("h1"), main.locator("table"))
    with walk.page("leader", "/wall/?document=1", WALL) as page:
        walk.keep(page, "leader-wall")


def admin_keeps(walk: Walk) -> None:
    """A unit through time, a deputy, the calendar."""
    with walk.page("admin", "/directory/units/", (1440, 1300)) as page:
        page.get_by_role("link", name="花果山街道办事处").click()
        page.wait_for_load_state("networkidle")
        walk.keep(page, "admin-unit", page.get_by_role("main"))
    with walk.page("admin", "/directory/deputies/", (1440, 1100)) as page:
        page.get_by_role("link", name="区市场监督管理局 局长").click()
        page.wait_for_load_state("networkidle")
        walk.keep(page, "admin-post", page.get_by_role("main"))
    with walk.page("admin", "/work/calendar/", (1440, 1200)) as page:
        walk.keep(page, "admin-calendar", page.locator("h1"), page.locator("table.month").last)


def public_reads(walk: Walk) -> None:
    """The front page, and a task on the telephone."""
    with walk.page(None, "/") as page:
        walk.keep(page, "public-home", page.locator(".portal-head"), page.get_by_role("main"), margin=0)
    with walk.page(None, "/plan/?q=12345", PHONE) as page:
        page.get_by_role("link", name="提高12345政务服务热线质效").click()
        page.wait_for_load_state("networkidle")
        walk.keep(page, "public-phone")


def residents_look(walk: Walk) -> None:
    """A resident's own pages, through the simulator of the province's sign-in."""
    with walk.page(None, "/my/") as page:
        page.get_by_role("button").first.click()
        page.wait_for_url("**/my/")
        walk.states["resident"] = page.context.storage_state()
        walk.keep(page, "residents-home")
    with walk.page("resident", "/my/code/", PHONE) as page:
        walk.keep(page, "residents-code")
    with walk.page("resident", "/my/trail/") as page:
        walk.keep(page, "residents-trail")


SEED = """
import sys, django
django.setup()
from liangzhu.kernel import releases
for kind, key, path in zip(*[iter(sys.argv[1:])] * 3):
    releases.seed(kind, key, open(path, encoding="utf-8").read(), path)
"""


def data_is_written(walk: Walk) -> None:
    """The examples of the guide on forms and tables: loaded as an upgrade would, filled in, asked."""
    files = ("form", "example_clinic", FORM, "rule", "example_clock", RULE)
    subprocess.run([sys.executable, "-c", SEED, *map(str, files)], env=walk.environment, check=True)
    with walk.page("shenpiju", "/forms/start/example_clinic/") as page:
        submit(page, "开始填写")
        page.fill("#id_identity", "11010519491231002X")
        page.get_by_role("radio", name="是", exact=True).check()
        page.locator("#id_share").wait_for()
        walk.keep(
            page, "forms-condition", page.locator(".page-head"), page.locator("#fill"), page.locator(".side")
        )
        page.fill("#id_share", "40")
        submit(page, "下一步")
        page.fill("#id_name", "示例诊所")
        for place, value in enumerate(("海州区示例路 1 号", "116.404", "39.915")):
            page.fill(f"#id_spot_{place}", value)
        page.select_option("#id_spot_3", "bd09")
        walk.keep(page, "forms-place", page.locator(".page-head"), page.locator("#fill"))
        submit(page, "下一步")
        walk.keep(page, "forms-check", page.locator(".page-head"), page.locator(".sent-part").last)
    with walk.page("shenpiju", "/rules/example_clock/?ask=1&in-share=conditional&in-On=2025-09-01") as page:
        walk.keep(page, "rules-trace", page.get_by_role("main"), margin=0)


def registrars_keep(walk: Walk) -> None:
    """A person is registered by one and released by another."""
    with walk.page("registrar", "/registers/persons/new/") as page:
        for name, value in (
            ("name", "示例甲"),
            ("document_number", "11010519491231002X"),
            ("phone", "13800138000"),
            ("address", "海州区示例街道示例路 1 号"),
            ("as_of", "2022-10-20"),
            ("reason", "窗口核验原件后登记。"),
        ):
            page.fill(f"[name={name}]", value)
        page.select_option("[name=document_kind]", "citizen_id")
        page.select_option("[name=source]", "counter")
        submit(page, "提交复核")
    with walk.page("registrar.second", "/registers/proposals/", (1440, 1200)) as page:
        page.get_by_role("link", name="申请 ").first.click()
        page.wait_for_load_state("networkidle")
        walk.keep(page, "registers-proposal", page.get_by_role("main"))
        submit(page, "通过")


# The server -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def demonstration() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Serve a demonstration from nothing; gives its address, password, day and environment, and leaves nothing behind."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
    with tempfile.TemporaryDirectory() as home, open(Path(home) / "log", "w+", encoding="utf-8") as log:
        environment = clean | {
            "LIANGZHU_HOME": str(Path(home) / "home"),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "liangzhu.site.settings",
        }
        server = subprocess.Popen(
            [LIANGZHU, "up", "--port", port, "--workers", "1"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        try:
            said = ""
            for line in server.stdout:
                said += line
                if "Ctrl-C" in line:
                    break
            else:
                log.seek(0)
                raise SystemExit(f"The demonstration did not start:\n{said}{log.read()}")
            password = re.search(r"密码都是 (\S+)）", said).group(1)
            day = re.search(r"演示日期：(\S+)（", said).group(1)
            yield f"http://localhost:{port}", password, day, environment
        finally:
            server.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


PARTS = (
    office_reads,
    unit_works,
    office_supervises,
    leader_looks,
    admin_keeps,
    public_reads,
    residents_look,
    data_is_written,
    registrars_keep,
)


def main() -> None:
    """Take all pictures anew, or those of the parts that are named."""
    wanted = [part for part in PARTS if part.__name__ in sys.argv[1:] or len(sys.argv) == 1]
    if len(sys.argv) > 1 and len(wanted) < len(sys.argv) - 1:
        raise SystemExit(f"parts: {', '.join(part.__name__ for part in PARTS)}")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("没有 Chromium：运行 tools/system_packages，或自行安装。")
    PICTURES.mkdir(parents=True, exist_ok=True)
    quiet = [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with demonstration() as (address, password, day, environment), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        walk = Walk(browser, address, password, day, environment)
        for part in wanted:
            part(walk)
        browser.close()


if __name__ == "__main__":
    main()
