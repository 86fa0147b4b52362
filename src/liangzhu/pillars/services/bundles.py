"""Bundles (一件事) as data: which items belong together, by which table the parts are chosen, who runs the window.

A bundle is a TOML file on the pack's shelf `bundles`, kept as a release of kind ``bundle``; a changed file is a draft for a
second person (kernel.releases). Its questions are the inputs of its decision table, whose rows each add one part, with
the legal basis of the row. An item of its own is a bundle of one part and needs no file.

    key = "open_clinic"
    title = "开办诊所、门诊部"
    says = ["开诊所", "开牙科"]          # everyday words
    rule = "open_clinic"                 # decision table, hit policy rule_order, output "part"
    form = "open_clinic"                 # form
    window = "xzspj"                     # unit that runs the window
    mode = "all_in_person"               # optional: everybody concerned must come before the decision; "online" otherwise
    promise = 20                         # working days, optional
    [parts.shop]
    item = "…"
    [parts.clinic]
    item = "…"
    needs = ["shop"]
    certificate = {person_in_charge = "person_name"}   # fields of the certificate whose name differs from that of the form
    makes = ["institution"]              # materials of other parts that its result is
"""

import re
import tomllib
from dataclasses import dataclass, field, replace

from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.kernel.definitions import Definitions
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.models import Release
from liangzhu.pillars.services import planning
from liangzhu.pillars.services.offers import Offer, offer

RELEASE_KIND = "bundle"
ONLINE, IN_PERSON = "online", "all_in_person"
"""Modes (办理方式): decided on what was sent in, or only after everybody concerned came in person (双方亲自到场)."""

ONE_ITEM = "item:"
"""What the key of a bundle of one item begins with."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEYS = {
    "key",
    "title",
    "audience",
    "intro",
    "says",
    "rule",
    "form",
    "window",
    "mode",
    "promise",
    "source",
    "unconfirmed",
    "to_confirm",
    "parts",
}
_PART_KEYS = {"item", "needs", "about", "certificate", "makes"}


@dataclass(frozen=True)
class BundlePart:
    """One part: the item, which other parts must be granted first, where its certificate's fields stand in the form.

    ``makes`` are keys of materials that its result is, beside those of its certificate's type.
    """

    name: str
    item: str
    needs: frozenset[str] = frozenset()
    about: str = ""
    certificate: dict[str, str] = field(default_factory=dict, hash=False)
    makes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Bundle:
    """A bundle in one release. ``promise`` is in working days."""

    key: str
    title: str
    parts: dict[str, BundlePart] = field(hash=False)
    window: str = ""
    mode: str = ONLINE
    audience: str = "both"
    intro: str = ""
    says: tuple[str, ...] = ()
    rule: str = ""
    form: str = ""
    promise: int | None = None
    source: str = ""
    to_confirm: str = ""
    release_id: int | None = None
    number: int = 0

    @property
    def in_person(self) -> bool:
        """Whether everybody concerned must come before the decision."""
        return self.mode == IN_PERSON

    @property
    def single(self) -> bool:
        """Whether it is one item of its own."""
        return self.key.startswith(ONE_ITEM)


def parse(text: str, origin: str) -> Bundle:
    """Read a bundle. Raises DataFileError naming the file, the line and what is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise DataFileError(origin, [(int(found[1]) if found else 1, f"不是合规的 TOML：{error}")]) from None
    faults = list(_faults(raw, text))
    if faults:
        raise DataFileError(origin, faults)
    parts = {
        name: BundlePart(
            name,
            one["item"],
            frozenset(one.get("needs", ())),
            one.get("about", ""),
            one.get("certificate", {}),
            frozenset(one.get("makes", ())),
        )
        for name, one in raw["parts"].items()
    }
    return Bundle(
        key=raw["key"],
        title=raw["title"],
        parts=parts,
        window=raw["window"],
        mode=raw.get("mode", ONLINE),
        audience=raw.get("audience", "both"),
        intro=raw.get("intro", ""),
        says=tuple(raw.get("says", ())),
        rule=raw.get("rule", ""),
        form=raw.get("form", ""),
        promise=raw.get("promise"),
        source=raw.get("source", ""),
        to_confirm=raw.get("to_confirm", "待确认") if raw.get("unconfirmed") else "",
    )


def _faults(raw: dict, text: str):
    lines = text.splitlines()

    def at(word: str) -> int:
        return next((n for n, line in enumerate(lines, 1) if word in line), 1)

    for name in raw.keys() - _KEYS:
        yield at(name), f"不认识 {name!r}；可以写 {'、'.join(sorted(_KEYS))}"
    for name in ("key", "title", "window"):
        if not isinstance(raw.get(name), str) or not raw[name].strip():
            yield 1, f"缺少 {name}"
    if raw.get("mode", ONLINE) not in (ONLINE, IN_PERSON):
        yield at("mode"), f"mode 应为 {ONLINE} 或 {IN_PERSON}"
    parts = raw.get("parts")
    if not isinstance(parts, dict) or not parts:
        yield 1, "至少要有一个 [parts.名称]"
        return
    for name, body in parts.items():
        line = at(f"[parts.{name}]")
        if not _NAME.fullmatch(name):
            yield line, f"名称 {name!r} 应由小写字母、数字、下划线组成"
        if not isinstance(body, dict) or not isinstance(body.get("item"), str):
            yield line, f"{name} 没有写明 item"
            continue
        for strange in body.keys() - _PART_KEYS:
            yield line, f"{name} 里不认识 {strange!r}"
        for other in body.get("needs", ()):
            if other not in parts:
                yield line, f"{name} 以 {other!r} 为前置，但没有这一件"
    try:
        planning.plan(
            planning.Part(name, name, needs=frozenset(one.get("needs", ())) & parts.keys())
            for name, one in parts.items()
            if isinstance(one, dict)
        )
    except planning.Circular as error:
        yield at(f"[parts.{error.parts[0]}]"), str(error)
    if len(parts) > 1 and not raw.get("rule"):
        yield 1, "不止一件的，要写 rule：按哪张决策表确定办哪几件"


def _check(bundle: Bundle, origin: str) -> None:
    """What the file names is there: the form with all that the certificates need, the table with these very parts."""
    faults = []
    for part in bundle.parts.values():
        try:
            one = offer(part.item)
        except Problem as problem:
            faults.append((1, f"{part.name}：{problem.detail}"))
            continue
        if missing := lacking(one, bundle.form, part.certificate):
            faults.append((1, f"{part.name}：申请表 {bundle.form} 没有证照要写的 {'、'.join(missing)}"))
    if faults:
        raise DataFileError(origin, faults)
    if bundle.rule:
        _check_rule(bundle, origin)


def lacking(one: Offer, form: str, renamed: dict[str, str]) -> list[str]:
    """What an item's certificate must say and the form does not ask; ["form"] without a form in force."""
    try:
        asked = {each.name for _, each in forms.in_force(form).all_fields()}
    except NotThere:
        return ["form"]
    kind = certificates.catalogue().kinds.get(one.certificate_type)
    wanted = kind.fields if kind and not kind.foreign else ()
    return [each.key for each in wanted if each.required and renamed.get(each.key, each.key) not in asked]


def _check_rule(bundle: Bundle, origin: str) -> None:
    try:
        table = decisions.in_force(bundle.rule)
    except NotThere:
        raise DataFileError(origin, [(1, f"没有名为 {bundle.rule!r} 的决策表")]) from None
    part = next((one for one in table.outputs if one.name == "part"), None)
    if table.hit != "rule_order" or part is None or part.type != "choice":
        raise DataFileError(
            origin, [(1, f"决策表 {bundle.rule} 应为 rule_order，有一个名为 part 的选项结论")]
        )
    if strange := {value for value, _ in part.options} ^ bundle.parts.keys():
        raise DataFileError(
            origin,
            [(1, f"决策表 {bundle.rule} 的 part 与 [parts] 不一致：{'、'.join(sorted(strange))}")],
        )


def bundle(key: str) -> Bundle:
    """The bundle in force, or that of one item (``item:KEY``). Raises NotThere."""
    if key.startswith(ONE_ITEM):
        one = offer(key.removeprefix(ONE_ITEM))
        return Bundle(key, one.name, {"one": BundlePart("one", one.key)}, window=one.window, form=one.form)
    return files.in_force(key)


def found(text: str, items: list[str]) -> list[Bundle]:
    """The bundles that everyday words name, or that one of these items, found by them, belongs to."""
    return [
        one
        for one in all_bundles()
        if any(say in text or text in say for say in one.says)
        or any(part.item in items for part in one.parts.values())
    ]


def where_applied(item: str) -> str:
    """The key under which one applies for an item online: the bundle that it belongs to, else its own; "" for neither.

    An item of its own is applied for where its form asks all that its certificate must say.
    """
    for one in all_bundles():
        if any(part.item == item for part in one.parts.values()):
            return one.key
    try:
        found = offer(item)
    except Problem:
        return ""
    return "" if lacking(found, found.form, {}) else f"{ONE_ITEM}{item}"


def in_release(application) -> Bundle:
    """The bundle under which an application was begun; a later release changes nothing for it."""
    if application.release_id is None:
        return bundle(application.bundle)
    return files.by_release_id(application.release_id)


files = Definitions(
    RELEASE_KIND,
    "一件事",
    shelf="bundles",
    pattern="*.toml",
    parse=parse,
    mark=lambda one, release: replace(one, release_id=release.pk, number=release.number),
)


def load_bundles() -> list[Release]:
    """Check every bundle of the pack and make it known. Items, forms and rules must be loaded before. Raises DataFileError."""
    return files.load(_check)


def all_bundles() -> list[Bundle]:
    """Every bundle in force, by key."""
    rows = Release.objects.filter(kind=RELEASE_KIND, state=Release.IN_FORCE).order_by("key")
    return [files.of_release(row) for row in rows]
