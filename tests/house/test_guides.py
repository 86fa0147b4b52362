"""The guides speak of what exists: links, pictures, commands, settings, addresses, accounts, buttons."""

import re
from functools import cache
from pathlib import Path

import click
import pytest
from django.urls import Resolver404, resolve

from liangzhu.kernel.pack import pack
from liangzhu.kernel.ui import nav
from liangzhu.site import config
from liangzhu.site.cli import main

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "guides"
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted(GUIDES.glob("*.md"))]
LARGEST_PICTURE, LARGEST_SUM = 150_000, 3_000_000

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> list[str]:
    """What stands as code: fenced lines, and words in backticks."""
    fenced = [line.strip() for block in FENCE.findall(text(page)) for line in block.splitlines()[1:-1]]
    return [*fenced, *CODE.findall(FENCE.sub("", text(page)))]


def links(page: Path) -> list[str]:
    return LINK.findall(FENCE.sub("", text(page)))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def each(found) -> list:
    return [
        pytest.param(page, what, id=f"{page.relative_to(ROOT)}: {what}")
        for page in PAGES
        for what in dict.fromkeys(found(page))
    ]


@pytest.mark.parametrize(("page", "link"), each(links))
def test_links_lead_somewhere(page, link):
    if re.match(r"https?://", link):
        return
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists(), f"{link} does not exist"
    if anchor:
        assert anchor in anchors(target), f"{target.name} has no heading {anchor}"


def commands(page: Path) -> list[str]:
    return [line for line in code(page) if re.match(r"(\.venv/bin/)?liangzhu ", line)]


@pytest.mark.parametrize(("page", "line"), each(commands))
def test_commands_exist_with_their_options(page, line):
    words = line.split("#")[0].split()[1:]
    command, context = main, click.Context(main, info_name="liangzhu")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found, f"liangzhu has no command {words[0]}"
        command, context, words = found, click.Context(found, parent=context), words[1:]
    known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    options = {word.strip("[]") for word in words if word.strip("[").startswith("--")}
    assert options <= known, f"{command.name} has no {options - known}"
    required = {
        parameter.opts[0]
        for parameter in command.params
        if parameter.required and isinstance(parameter, click.Option)
    }
    assert required <= options, f"{command.name} needs {required - options}"


def targets(page: Path) -> list[str]:
    return [word for line in code(page) for word in re.findall(r"^make (\w[\w-]*)", line)]


@pytest.mark.parametrize(("page", "target"), each(targets))
def test_make_targets_exist(page, target):
    assert re.search(rf"^{target}:", text(ROOT / "Makefile"), re.MULTILINE)


def settings(page: Path) -> list[str]:
    return re.findall(r"LIANGZHU_[A-Z_]+", text(page))


@pytest.mark.parametrize(("page", "name"), each(settings))
def test_settings_exist(page, name):
    assert name in config.SETTINGS


def addresses(page: Path) -> list[str]:
    """Addresses of the product: as code, or after the host of `make run`."""
    written = [line for line in code(page) if re.match(r"/[a-z][\w/.-]*/(\?\S*)?$", line)]
    return [*written, *re.findall(r"http://localhost:8000(/[\w/.-]*)", text(page))]


@pytest.mark.parametrize(("page", "address"), each(addresses))
def test_addresses_resolve(page, address):
    try:
        resolve(address.partition("?")[0])
    except Resolver404:
        pytest.fail(f"{address} leads nowhere", pytrace=False)


def accounts(page: Path) -> list[str]:
    """User names of the demonstration: what the guides write as code after 演示账号."""
    return [
        name
        for words in re.findall(r"（(?:演示账号)?(?:如 )?(`[\w.]+`)）", text(page))
        for name in CODE.findall(words)
    ]


@pytest.mark.parametrize(("page", "name"), each(accounts))
def test_demonstration_accounts_exist(page, name):
    assert name in {person["username"] for person in pack().toml("accounts.toml")["person"]}


def entries(page: Path) -> list[str]:
    return re.findall(r"左栏“([^”]+)”", text(page))


@pytest.mark.parametrize(("page", "label"), each(entries))
def test_entries_of_the_rail_exist(page, label):
    known = {entry.label for entry in nav.entries("workbench")} | {"查找事项", "计划"}
    assert label in known


@cache
def sources() -> str:
    """Templates, process files and Python of the program, without white space and mark-up between words."""
    files = (
        file
        for end in ("html", "toml", "py", "js")
        for file in (ROOT / "src").rglob(f"*.{end}")
        if "dist" not in file.parts
    )
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def buttons(page: Path) -> list[str]:
    """What the guides tell people to press."""
    return re.findall(r"点(?:下方|右上|左下|上方|页底)?“([^”…]+)”", text(page))


@pytest.mark.parametrize(("page", "label"), each(buttons))
def test_what_the_guides_say_to_press_is_written_on_the_pages(page, label):
    assert label in sources(), f"no page says {label}"


def test_pictures_are_used_and_light():
    pictures = {file.resolve(): file.stat().st_size for file in (GUIDES / "pictures").glob("*")}
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    assert pictures.keys() <= shown, f"unused: {sorted(map(str, pictures.keys() - shown))}"
    assert max(pictures.values()) <= LARGEST_PICTURE
    assert sum(pictures.values()) <= LARGEST_SUM


def test_every_guide_is_in_the_index():
    guides = {file.name for file in GUIDES.glob("*") if file.is_file()} - {"README.md"}
    assert guides == {link for link in links(GUIDES / "README.md") if "/" not in link}
