"""One value of one field: what was typed is read, checked against its limits, and shown in words.

Values as they are kept (in drafts and snapshots) are plain: text, number and money as text ("1234.50"), date as ISO text, yesno
as bool, choices and files as lists, a unit's id as int, a table as a list of rows, a place as ``{"address", "lon", "lat",
"system"}``: degrees of CGCS2000 as text, the system they came in, and ``shown``, what that one showed. What was typed and cannot be read is kept too,
as ``{"raw": "2022-13-45"}``, so that nothing is lost; it counts as empty until it is mended.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files.api import Attachment
from liangzhu.beams.work.forms.grammar import TEXT_MAX, TODAY, WORDY, Field
from liangzhu.kernel import identifiers, masking, places
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.ui.forms import DateField

RAW = "raw"
RAW_MAX = 20_000
FILES_MAX = 20
ROWS_MAX = 50
"""Rows of a table, where the form gives no other maximum."""

PLACE_PARTS = ("address", "lon", "lat", "system")
"""What is asked of a place: words, degrees, and the system that the degrees are in (`kernel.places`)."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}(-\d{1,6})?|400-?\d{3}-?\d{4}|\d{5,8}")
_IDENTIFIERS = {"person": "person", "uscc": "enterprise"}
_read_date = DateField(required=False)


def is_raw(value: Any) -> bool:
    """Whether a kept value is something typed that could not be read."""
    return isinstance(value, dict) and RAW in value


def raw(text: str | dict[str, str]) -> dict[str, Any]:
    """What was typed, kept as it was; of a place each of its parts."""
    return {RAW: text if isinstance(text, dict) else text[:RAW_MAX]}


def typed(field: Field, value: Any) -> Any:
    """A kept value for conditions and checks: Decimal, date, str, bool, list; None when empty or unreadable."""
    if value is None or is_raw(value):
        return None
    if field.type in ("number", "money"):
        return Decimal(value)
    if field.type == "date":
        return date.fromisoformat(value)
    if field.type == "table":
        columns = {column.name: column for column in field.fields}
        return [
            {name: typed(columns[name], one) for name, one in row.items() if name in columns} for row in value
        ]
    return value


def read(field: Field, given: Any) -> Any:
    """What was typed for a field that is no table and no note, as a kept value; None for nothing.

    Raises ValueError with a Chinese message that says what would be right.
    """
    if field.type == "choices":
        picked = [given] if isinstance(given, str) else given or []
        if not isinstance(picked, list | tuple) or not all(isinstance(one, str) for one in picked):
            raise ValueError("内容无法识别，请重新选择。")
        if unknown := [one for one in picked if one not in dict(field.options)]:
            raise ValueError(f"“{unknown[0]}”不在选项里，请重新选择。")
        return [value for value, _ in field.options if value in picked] or None
    if field.type == "files":
        return [int(one) for one in given or ()] or None
    if field.type == "place":
        return _place(given)
    if isinstance(given, bool) and field.type == "yesno":
        return given
    if isinstance(given, int) and not isinstance(given, bool) and field.type == "unit":
        return _unit(given)
    if isinstance(given, date):
        given = given.isoformat()
    if not isinstance(given, str | int | float | Decimal | None):
        raise ValueError("内容无法识别，请重新填写。")
    text = _text(str(given if given is not None else ""), lines=field.type == "longtext")
    if not text:
        return None
    return _READERS[field.type](field, text)


def _text(given: str, *, lines: bool) -> str:
    text = _CONTROL.sub("", given.replace("\r\n", "\n").replace("\r", "\n"))
    return (text if lines else " ".join(text.split())).strip()


def _plain(field: Field, text: str) -> str:
    return text


def _number(field: Field, text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    if field.type == "money":
        text = text.removesuffix("元").removeprefix("¥")
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,9})?", text):
        raise ValueError("请只写数字，例如 1200 或 1200.50。")
    value = Decimal(text)
    if field.type == "money":
        if value != value.quantize(Decimal("0.01")):
            raise ValueError("金额最多两位小数。")
        return f"{value:.2f}"
    if field.whole and value != value.to_integral_value():
        raise ValueError("请写整数。")
    out = f"{value:f}"
    return out.rstrip("0").rstrip(".") if "." in out else str(int(value))


def _date(field: Field, text: str) -> str:
    try:
        return _read_date.to_python(text).isoformat()
    except ValidationError as error:
        raise ValueError("".join(error.messages)) from None


def _choice(field: Field, text: str) -> str:
    if text not in dict(field.options):
        raise ValueError("所选的不在选项里，请重新选择。")
    return text


def _yesno(field: Field, text: str) -> bool:
    found = {"yes": True, "no": False, "是": True, "否": False}.get(text)
    if found is None:
        raise ValueError("请选择是或否。")
    return found


def _identifier(field: Field, text: str) -> str:
    try:
        return identifiers.check(_IDENTIFIERS[field.type], text, not_after=today()).value
    except identifiers.IdentifierError as error:
        raise ValueError(
            f"{error.message}{'' if error.message.endswith('。') else '。'}{error.todo}"
        ) from None


def _phone(field: Field, text: str) -> str:
    number = unicodedata.normalize("NFKC", text).replace(" ", "").removeprefix("+86")
    for dash in "－—–":
        number = number.replace(dash, "-")
    if _MOBILE.fullmatch(number.replace("-", "")):
        return number.replace("-", "")
    if not _LANDLINE.fullmatch(number):
        raise ValueError("请写 11 位手机号，或带区号的座机，例如 0518-85800000。")
    return number


def _address(field: Field, text: str) -> str:
    if len(text) < 4:
        raise ValueError("请写到门牌号，例如：某某路 1 号 2 栋 301 室。")
    return text


def _place(given: Any) -> dict[str, Any] | None:
    """Address and coordinates; those of a map's own system are converted, and what it showed is kept beside."""
    if given in (None, "", {}):
        return None
    if not isinstance(given, dict) or not given.keys() <= set(PLACE_PARTS):
        raise ValueError(f"地点请写 {'、'.join(PLACE_PARTS)}：地址、经度、纬度、坐标系。")
    if not all(isinstance(one, str | int | float | Decimal | None) for one in given.values()):
        raise ValueError("内容无法识别，请重新填写。")
    address, lon, lat, system = (
        _text("" if given.get(name) is None else str(given[name]), lines=False) for name in PLACE_PARTS
    )
    kept: dict[str, Any] = {"address": address} if address else {}
    if not lon and not lat:
        return kept or None
    if not lon or not lat:
        raise ValueError("经度和纬度要一起填，或者都不填。")
    x, y = _degrees(lon), _degrees(lat)
    if not places.CHINA.hold(x, y):
        turned = "；经度和纬度好像写反了" if places.CHINA.hold(y, x) else ""
        raise ValueError(
            f"经度应在 {places.WEST:.0f}—{places.EAST:.0f} 之间，纬度应在 {places.SOUTH:.0f}—{places.NORTH:.0f} 之间{turned}。"
        )
    if system not in places.SYSTEMS:
        raise ValueError("请选择坐标系：各种地图的坐标相差几百米，要知道坐标是从哪里来的。")
    there = places.to_wgs84(x, y, system)
    for name, value in zip(("lon", "lat"), there, strict=True):
        kept[name] = f"{value:.{places.DIGITS}f}"
    kept["system"] = system
    if system != "wgs84":
        kept["shown"] = {"lon": lon, "lat": lat}
    return kept


def _degrees(text: str) -> float:
    text = unicodedata.normalize("NFKC", text).removesuffix("°").removesuffix("度").strip()
    if not re.fullmatch(r"\d{1,3}(\.\d{1,15})?", text):
        raise ValueError("经度、纬度请写成小数的度，例如 119.165123。")
    return float(text)


def bounds() -> places.Bounds | None:
    """The box around the district, if its pack gives one."""
    given = pack().district.get("bounds")
    return places.Bounds(*(given[side] for side in ("west", "south", "east", "north"))) if given else None


def doubt(field: Field, value: Any) -> str:
    """What is probably wrong with a kept value, though it may stand: a place outside of the district; "" when nothing is."""
    if field.type != "place" or is_raw(value) or not value or "lon" not in value:
        return ""
    box = bounds()
    if box is None or box.hold(float(value["lon"]), float(value["lat"])):
        return ""
    district = pack().district
    sure = "（大致范围，待确认）" if district["bounds"].get("unconfirmed") else ""
    return f"坐标不在{district['name']}范围内{sure}，请核对坐标和坐标系；确实在区外的，不用改。"


def _unit(given: int) -> int:
    if directory.units().get(given) is None:
        raise ValueError("这个单位不存在或已撤销，请重新选择。")
    return given


def _unit_named(field: Field, text: str) -> int:
    try:
        return directory.resolve_unit(text).id
    except Problem as problem:
        raise ValueError(f"{problem.detail}{problem.todo}") from None


_READERS = {
    "text": _plain,
    "longtext": _plain,
    "number": _number,
    "money": _number,
    "date": _date,
    "choice": _choice,
    "yesno": _yesno,
    "person": _identifier,
    "uscc": _identifier,
    "phone": _phone,
    "address": _address,
    "unit": _unit_named,
}


def fault(field: Field, value: Any) -> str:
    """What is wrong with a kept value by the limits of its field; "" when nothing is. A table's rows are not looked into."""
    if is_raw(value):
        try:
            read(field, value[RAW])
        except ValueError as error:
            return str(error)
        return ""
    if value is None or value == []:
        return _missing(field) if field.required or (field.type == "table" and field.least) else ""
    if field.type in WORDY:
        return _length(field, len(value))
    if field.type == "place":
        if field.exact and "lon" not in value:
            return f"请填写{field.label}的经度和纬度。"
        return _length(field, len(value.get("address", "")))
    if field.type in ("number", "money", "date"):
        return _range(field, value)
    unit = {"choices": "项", "files": "个文件", "table": field.row}.get(field.type)
    if unit:
        most = field.most or {"files": FILES_MAX, "table": ROWS_MAX}.get(field.type)
        if most and len(value) > most:
            return f"最多 {most} {unit}，现在有 {len(value)} {unit}。"
        if field.least and len(value) < field.least:
            return f"至少 {field.least} {unit}，现在有 {len(value)} {unit}。"
    return ""


def _missing(field: Field) -> str:
    if field.type in ("choice", "choices", "yesno", "unit"):
        return f"请选择{field.label}。"
    if field.type == "files":
        return f"请上传{field.label}。"
    if field.type == "table":
        return f"请至少填写 {field.least or 1} {field.row}。"
    return f"请填写{field.label}。"


def _length(field: Field, length: int) -> str:
    most = field.most or TEXT_MAX[field.type]
    if length > most:
        return f"最多 {most} 个字，现在有 {length} 个。"
    if field.least and length < field.least:
        return f"至少 {field.least} 个字，现在有 {length} 个。"
    return ""


def _range(field: Field, value: str) -> str:
    given = typed(field, value)
    for bound, wrong, word in (
        (field.least, lambda limit: given < limit, "早于" if field.type == "date" else "小于"),
        (field.most, lambda limit: given > limit, "晚于" if field.type == "date" else "大于"),
    ):
        if bound is None:
            continue
        limit = today() if bound == TODAY else bound
        if wrong(limit):
            shown = f"今天（{limit}）" if bound == TODAY else f"{limit}"
            return f"不能{word} {shown}。"
    return ""


def words(field: Field, value: Any, *, masked: bool = False, files: Iterable[Attachment] = ()) -> str:
    """A kept value as a person reads it. ``masked`` hides what is personal (grade 3). A table is shown row by row elsewhere."""
    if value is None or value == []:
        return "（未填）"
    if is_raw(value):
        typed_in = value[RAW]
        if isinstance(typed_in, dict):
            typed_in = "，".join(typed_in[name] for name in PLACE_PARTS[:3] if typed_in.get(name))
        return f"{typed_in}（无法识别）"
    if masked and field.grade >= 3:
        return mask(field, value)
    match field.type:
        case "choice":
            return field.option(value)
        case "choices":
            return "、".join(field.option(one) for one in value)
        case "yesno":
            return "是" if value else "否"
        case "unit":
            return directory.unit_name(value)
        case "money":
            return f"{Decimal(value):,.2f} 元"
        case "number":
            return f"{value} {field.unit}".strip()
        case "files":
            names = {row.pk: row.name for row in files}
            return "、".join(names.get(one, f"附件 {one}") for one in value)
        case "table":
            return f"{len(value)} {field.row}"
        case "place":
            return _place_words(value)
    return str(value)


def _place_words(value: dict[str, Any]) -> str:
    found = [value["address"]] if "address" in value else []
    if "lon" in value:
        how = "" if value["system"] == "wgs84" else f"，由 {places.SHORT[value['system']]} 换算"
        found.append(f"东经 {value['lon']}°，北纬 {value['lat']}°（{places.SHORT['wgs84']}{how}）")
    return "；".join(found)


def mask(field: Field, value: Any) -> str:
    """A personal value as others may see it."""
    if field.type in _IDENTIFIERS and isinstance(value, str):
        return identifiers.mask(_IDENTIFIERS[field.type], value)
    if field.type == "phone":
        return masking.phone(value)
    if field.type == "place":
        hidden = [masking.address(value["address"])] if "address" in value else []
        return "；".join([*hidden, "坐标已遮盖"] if "lon" in value else hidden)
    if isinstance(value, str) and field.type in WORDY:
        return masking.words(value)
    return masking.HIDDEN
