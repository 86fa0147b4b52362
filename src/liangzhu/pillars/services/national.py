"""Items in the shape of the national library (国家政务服务平台 C0109, C0117): written, and read again without loss.

``task_general_basic`` and ``task_general_extend`` hold the columns of the national tables under their names; materials, steps,
fees, questions and grounds are tables of their own, joined by ``row_guid``. What the national tables have no column for
stands in ``task_local``. Lists are joined by ``^``; kinds that dictionaries number differently (units of limits, forms of
handling, types of results) are written by name and mapped by name.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import openpyxl
from django.db import models

from liangzhu.kernel.errors import BadFile, TooLarge
from liangzhu.pillars.services.models import ItemVersion
from liangzhu.pillars.services.models.items import RESULTS, SERVED, UNITS, WAYS
from liangzhu.pillars.services.sheets import COLUMNS, NOTES, ROWS, Sheet, row_columns

BASIC = {
    "task_name": "name",
    "catalog_code": "catalog_code",
    "task_type": "task_type",
    "power_source": "power_source",
    "use_level": "level",
    "task_code": "task_code",
    "task_handle_item": "handle_code",
    "task_state": "task_state",
    "dept_name": "body_name",
    "dept_code": "body_code",
    "dept_type": "body_type",
    "entrust_name": "entrusted",
    "anticipate_day": "legal_amount",
    "anticipate_type": "legal_unit",
    "anticipate_explain": "legal_note",
    "promise_day": "promised_amount",
    "promise_type": "promised_unit",
    "promise_explain": "promised_note",
    "accept_condition": "conditions",
    "handle_flow": "flow",
    "is_fee": "fee",
    "fee_basis": "fee_basis",
    "server_type": "served",
    "project_type": "project_type",
    "handle_type": "ways",
    "limit_scene_num": "visits",
    "special_procedure": "special_procedure",
    "app_is_single_login": "app_single_login",
    "mobile_terminal_url": "mobile_url",
    "is_single_login": "single_login",
    "link_addr": "link_url",
    "transact_addr": "address",
    "transact_time": "hours",
    "link_way": "contact",
    "supervise_way": "complaints",
    "local_catalog_code": "local_catalog_code",
    "local_task_code": "local_code",
}
EXTEND = {
    "is_entry_center": "in_centre",
    "handle_area": "area",
    "other_dept": "joint_units",
    "service_type": "intermediary",
    "limit_explain": "quota",
    "result_type": "result_type",
    "result_name": "result",
    "result_guid": "result_sample",
    "is_schedule": "appointments",
    "is_pay_online": "pays_online",
    "is_express": "express",
    "is_service_terminals": "terminals",
    "user_topic_type": "person_topics",
    "corp_topic_type": "organisation_topics",
    "is_online": "online",
    "online_handle_depth": "online_depths",
    "online_handle_url": "online_url",
    "limit_scene_explain": "visits_why",
    "town_name": "town_name",
    "town_code": "town_code",
    "village_name": "village_name",
    "village_code": "village_code",
}
LOCAL = {name: name for name in (*COLUMNS, *NOTES) if name not in {*BASIC.values(), *EXTEND.values()}}
TABLES: dict[str, dict[str, str]] = {
    "task_general_basic": BASIC,
    "task_general_extend": EXTEND,
    "task_local": LOCAL,
}
CHILDREN = {
    "task_basis": "bases",
    "task_material": "materials",
    "task_step": "steps",
    "task_fee": "fees",
    "task_question": "questions",
}
ASIDE = ("row_guid", "by_law", "task_version", "plan_effective_date", "plan_cancel_date")
"""Written for readers; read again from elsewhere, or given anew."""

SERVED_CODES = dict(zip(SERVED, "1234569", strict=True))
"""申请人类型 of the national library."""
_NAMED: dict[str, dict[str, str]] = {
    "legal_unit": {key: title.removeprefix("个") for key, title in UNITS},
    "promised_unit": {key: title.removeprefix("个") for key, title in UNITS},
    "result_type": RESULTS,
}
_LISTED: dict[str, dict[str, str]] = {"served": SERVED_CODES, "ways": WAYS}

MAX_BYTES, MAX_ROWS, MAX_UNPACKED = 20 * 2**20, 20_000, 200 * 2**20
"""Bounds of a file that is read."""


# Values ---------------------------------------------------------------------------------------------------------------


def _write(model: type[models.Model], name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if model is ItemVersion and name in _LISTED:
        return "^".join(_LISTED[name].get(one, one) for one in value.split())
    if model is ItemVersion and name in _NAMED:
        return _NAMED[name].get(value, value)
    return str(value)


def _read(model: type[models.Model], name: str, text: str) -> Any:
    """A value from its text. Raises ValueError in words."""
    column = model._meta.get_field(name)
    text = text.strip() if not isinstance(column, models.TextField) else text
    if isinstance(column, models.BooleanField):
        if text in ("1", "是", "true", "True"):
            return True
        if text in ("0", "否", "false", "False", ""):
            return False
        raise ValueError(f"“{text}”应为 1 或 0")
    if isinstance(column, models.IntegerField):
        if not text:
            return None if column.null else 0
        if not text.isdecimal() or int(text) > 32767:
            raise ValueError(f"“{text}”应为整数")
        return int(text)
    if model is ItemVersion and name in _LISTED:
        known = {word: key for key, word in _LISTED[name].items()} | {key: key for key in _LISTED[name]}
        return " ".join(_known(known, one) for one in text.split("^") if one)
    if model is ItemVersion and name in _NAMED:
        return _known({word: key for key, word in _NAMED[name].items()} | {"": ""}, text)
    if model is ItemVersion and name == "task_type" and text.isdecimal():
        text = text.zfill(2)
    choices = dict(column.flatchoices)
    if text and choices and text not in choices:
        text = _known({str(title): key for key, title in choices.items()}, text)
    if column.max_length and len(text) > column.max_length:
        raise TooLong(f"有 {len(text)} 个字，最多 {column.max_length} 个")
    return text


def _known(table: dict[str, str], word: str) -> str:
    if word not in table:
        raise ValueError(f"“{word}”不在 {'、'.join(one for one in table if one)} 里")
    return table[word]


# Writing --------------------------------------------------------------------------------------------------------------


def tables(sheets: Iterable[Sheet]) -> dict[str, list[dict[str, str]]]:
    """The national tables of some items, every value as text."""
    found: dict[str, list[dict[str, str]]] = {name: [] for name in (*TABLES, *CHILDREN)}
    for sheet in sheets:
        row = sheet.version
        guid = row.item.key if row.item_id else row.name
        for name, columns in TABLES.items():
            found[name].append(
                {"row_guid": guid}
                | {
                    column: _write(ItemVersion, field, getattr(row, field))
                    for column, field in columns.items()
                }
            )
        found["task_general_basic"][-1] |= {
            "by_law": sheet.by_law,
            "task_version": str(row.number or ""),
            "plan_effective_date": str(row.in_force_from or ""),
            "plan_cancel_date": str(row.in_force_to or ""),
        }
        for name, kind in CHILDREN.items():
            found[name] += [
                {"row_guid": guid}
                | {column: _write(ROWS[kind], column, getattr(one, column)) for column in row_columns(kind)}
                for one in getattr(sheet, kind)
            ]
    return found


def write_json(sheets: Iterable[Sheet]) -> bytes:
    """The tables as one JSON object."""
    return json.dumps(tables(sheets), ensure_ascii=False, indent=1).encode()


def write_csv(sheets: Iterable[Sheet]) -> bytes:
    """One line an item: the columns of all tables, each child table as JSON in a column of its name. UTF-8 with mark."""
    found = tables(sheets)
    lines: dict[str, dict[str, str]] = {}
    for name in TABLES:
        for row in found[name]:
            lines.setdefault(row["row_guid"], {}).update(row)
    for name in CHILDREN:
        for guid, line in lines.items():
            below = [
                {key: value for key, value in row.items() if key != "row_guid"}
                for row in found[name]
                if row["row_guid"] == guid
            ]
            line[name] = json.dumps(below, ensure_ascii=False) if below else ""
    out = io.StringIO()
    names = ["row_guid", *BASIC, *ASIDE[1:], *EXTEND, *LOCAL, *CHILDREN]
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(lines.values())
    return ("\ufeff" + out.getvalue()).encode()


def write_xlsx(sheets: Iterable[Sheet]) -> bytes:
    """A workbook with a sheet for each table."""
    book = openpyxl.Workbook(write_only=True)
    for name, rows in tables(sheets).items():
        page = book.create_sheet(name)
        if name in TABLES:
            names = ["row_guid", *TABLES[name], *(ASIDE[1:] if name == "task_general_basic" else ())]
        else:
            names = ["row_guid", *row_columns(CHILDREN[name])]
        page.append(names)
        for row in rows:
            page.append([row[one] for one in names])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WRITERS: dict[str, tuple[str, Callable[[Iterable[Sheet]], bytes]]] = {
    "json": ("application/json", write_json),
    "csv": ("text/csv; charset=utf-8", write_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
}


# Reading --------------------------------------------------------------------------------------------------------------


def read_tables(data: bytes, name: str) -> dict[str, list[dict[str, str]]]:
    """The tables of a file by its name's ending; a flat file is one table ``""``. Raises BadFile, TooLarge."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"文件有 {len(data) // 2**20} MB，最多 {MAX_BYTES // 2**20} MB。")
    form = name.rpartition(".")[2].lower()
    try:
        found = {"json": _read_json, "csv": _read_csv, "xlsx": _read_xlsx}[form](data)
    except KeyError:
        raise BadFile(f"{name} 的格式不支持。", todo="请用 json、csv 或 xlsx。") from None
    except TooLarge:
        raise
    except Exception as error:
        raise BadFile(f"{name} 读不出来：{error}", todo="请检查文件是否完整、编码是否为 UTF-8。") from error
    if sum(map(len, found.values())) > MAX_ROWS * 10:
        raise TooLarge(f"文件超过 {MAX_ROWS * 10} 行。", todo="请拆成几个文件。")
    return found


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _read_json(data: bytes) -> dict[str, list[dict[str, str]]]:
    body = json.loads(data.decode("utf-8-sig"))
    body = {"": body} if isinstance(body, list) else body
    return {
        name: [{str(key): _text(value) for key, value in row.items()} for row in rows]
        for name, rows in body.items()
    }


def _read_csv(data: bytes) -> dict[str, list[dict[str, str]]]:
    csv.field_size_limit(2**20)
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), restkey="_more", restval="")
    return {"": [{key: _text(value) for key, value in row.items()} for row in reader]}


def _read_xlsx(data: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(one.file_size for one in packed.infolist()) > MAX_UNPACKED:
            raise TooLarge("表格展开后过大。", todo="请删去无关的工作表，或拆成几个文件。")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    found = {}
    for page in book.worksheets:
        rows = page.iter_rows(values_only=True)
        names = [_text(one) for one in next(rows, ())]
        found[page.title] = [
            {name: _text(value) for name, value in zip(names, row, strict=False) if name}
            for row in rows
            if any(value is not None for value in row)
        ]
    return found if "task_general_basic" in found else {"": next(iter(found.values()), [])}


class TooLong(ValueError):
    """A text that its column cannot hold."""


class Unreadable(ValueError):
    """A row that cannot be an item; the message names the column and why."""


def lines(found: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """One dictionary an item: columns of all tables together, child tables as lists."""
    if "task_general_basic" not in found:
        return [
            {
                key: json.loads(value) if key in CHILDREN and value else [] if key in CHILDREN else value
                for key, value in row.items()
            }
            for row in next(iter(found.values()), [])
        ]
    joined: dict[str, dict[str, Any]] = {}
    for name, rows in found.items():
        if name in CHILDREN:
            continue
        for place, row in enumerate(rows):
            joined.setdefault(row.get("row_guid") or f"#{place}", {}).update(row)
    for name in CHILDREN:
        for line in joined.values():
            line[name] = []
        for row in found.get(name, ()):
            if (line := joined.get(row.get("row_guid", ""))) is not None:
                line[name].append({key: value for key, value in row.items() if key != "row_guid"})
    return list(joined.values())


ALIASES = {
    "item_name": "task_name",
    "事项名称": "task_name",
    "department": "dept_name",
    "实施主体": "dept_name",
    "item_code": "local_task_code",
    "实施编码": "task_code",
    "基本编码": "catalog_code",
    "事项类型": "task_type",
    "power_code": "local_catalog_code",
    "type_code": "task_type",
}
"""Names that other lists use for national columns."""


def body_of(line: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The body of an item from a line, and the columns that no element takes: unknown, or too long. Raises Unreadable."""
    known = BASIC | EXTEND | LOCAL
    body = Sheet(ItemVersion(task_type="")).body()
    unmapped = []
    for column, text in line.items():
        name = known.get(ALIASES.get(column, column))
        if column in CHILDREN:
            kind = CHILDREN[column]
            body[kind] = [_child(kind, row, place) for place, row in enumerate(text, 1)]
        elif name is not None:
            try:
                body[name] = _read(ItemVersion, name, text)
            except TooLong as error:
                if name in ("name", "task_type"):
                    raise Unreadable(f"{column}：{error}") from None
                # A code of another length is no code of ours; the row is worth more than the cell, which its record keeps.
                unmapped.append(column)
            except ValueError as error:
                raise Unreadable(f"{column}：{error}") from None
        elif column == "by_law" and "task_basis" not in line:
            body["bases"] = [
                {"law": one.strip()[:200], "article": ""} for one in text.split("；") if one.strip()
            ]
        elif column not in ASIDE and text:
            unmapped.append(column)
    if not body["name"]:
        raise Unreadable("task_name：没有事项名称")
    if not body["task_type"]:
        raise Unreadable("task_type：没有事项类型")
    return body, unmapped


def _child(kind: str, row: dict[str, str], place: int) -> dict[str, Any]:
    model, found = ROWS[kind], {}
    blank = model()
    for name in row_columns(kind):
        try:
            found[name] = _read(model, name, _text(row[name])) if name in row else getattr(blank, name)
        except ValueError as error:
            raise Unreadable(f"{kind} 第 {place} 行 {name}：{error}") from None
    return found
