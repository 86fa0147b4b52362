"""Items as CPSV-AP 3 (Core Public Service Vocabulary, application profile) in JSON-LD, for readers beyond the country.

https://semiceu.github.io/CPSV-AP/: a service with its authority, requirements, evidence, legal resources, output, cost, channel
and processing time. What nobody has to bring is no evidence here either: this asks for no more than the guide does.
"""

from collections.abc import Iterable
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.pillars.services import issued
from liangzhu.pillars.services.models.items import TASK_TYPES
from liangzhu.pillars.services.sheets import Sheet, term, words

CONTEXT = {
    "cpsv": "http://purl.org/vocab/cpsv#",
    "cv": "http://data.europa.eu/m8g/",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
LANGUAGE = "http://publications.europa.eu/resource/authority/language/ZHO"


def document(sheets: Iterable[Sheet], base: str, district: str) -> dict[str, Any]:
    """The graph of some items. ``base`` is the site's address with its last slash; it begins every identifier."""
    sheets = list(sheets)
    graph: list[dict[str, Any]] = []
    for unit_id in dict.fromkeys(sheet.version.item.unit_id for sheet in sheets):
        view = directory.units().get(unit_id)
        graph.append(
            {
                "@id": f"{base}services/browse/?unit={view.key if view else unit_id}",
                "@type": "cv:PublicOrganisation",
                "dct:identifier": view.key if view else str(unit_id),
                "skos:prefLabel": _zh(view.name if view else ""),
                "dct:spatial": _zh(district),
            }
        )
    for sheet in sheets:
        graph += _service(sheet, base)
    return {"@context": CONTEXT, "@graph": graph}


def _zh(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "zh"}


def _service(sheet: Sheet, base: str) -> list[dict[str, Any]]:
    row = sheet.version
    me = f"{base}services/items/{row.item.key}/"
    view = directory.units().get(row.item.unit_id)
    found: dict[str, Any] = {
        "@id": me,
        "@type": "cpsv:PublicService",
        "dct:identifier": row.task_code or row.catalog_code or row.item.key,
        "dct:title": _zh(row.name),
        "dct:description": _zh(_about(sheet)),
        "dct:language": {"@id": LANGUAGE},
        "dct:type": _zh(TASK_TYPES.get(row.task_type, row.task_type)),
        "cv:hasCompetentAuthority": {
            "@id": f"{base}services/browse/?unit={view.key if view else row.item.unit_id}"
        },
        "schema:version": str(row.number or ""),
    }
    parts: list[dict[str, Any]] = []

    def add(relation: str, kind: str, place: int | str, **values: Any) -> None:
        part = {"@id": f"{me}#{kind.partition(':')[2].lower()}-{place}", "@type": kind, **values}
        parts.append(part)
        found.setdefault(relation, []).append({"@id": part["@id"]})

    if row.conditions:
        add(
            "cv:holdsRequirement",
            "cv:Requirement",
            0,
            **{
                "dct:identifier": "condition",
                "dct:title": _zh("受理条件"),
                "dct:description": _zh(row.conditions),
            },
        )
    for place, one in enumerate(sheet.bases):
        values = {"dct:identifier": f"{place + 1}", "dct:title": _zh(one.law)}
        add("cv:hasLegalResource", "eli:LegalResource", place, **values, **{"dct:description": _zh(str(one))})
    for one in sheet.materials:
        if one.spared or (issued.vetoed(one) and one.key not in sheet.exempt):
            continue
        add(
            "cpsv:hasInput",
            "cv:Evidence",
            one.key,
            **{
                "dct:identifier": one.key,
                "dct:title": _zh(one.name),
                "dct:description": _zh(one.notes or one.name),
            },
        )
    if row.result:
        add(
            "cpsv:produces",
            "cpsv:Output",
            0,
            **{"dct:identifier": "result", "dct:title": _zh(row.result)},
        )
    for place, one in enumerate(sheet.fees):
        add(
            "cv:hasCost",
            "cv:Cost",
            place,
            **{"dct:identifier": f"{place + 1}", "dct:description": _zh(f"{one.name}：{one.standard}")},
        )
    for way in row.ways.split():
        add(
            "cv:hasChannel",
            "cv:Channel",
            way,
            **{
                "dct:identifier": way,
                "dct:description": _zh(
                    words("ways", way) + (f"：{row.address}" if way == "window" and row.address else "")
                ),
            },
        )
    if duration := _duration(row.promised_amount, row.promised_unit):
        found["cv:processingTime"] = {"@type": "xsd:duration", "@value": duration}
    for topic in dict.fromkeys([row.person_topics, row.organisation_topics]):
        if topic:
            found.setdefault("cv:thematicArea", []).append(_zh(topic))
    return [found, *parts]


def _about(sheet: Sheet) -> str:
    row = sheet.version
    limit = term(row.promised_amount, row.promised_unit)
    text = f"{words('served', row.served)}可以申请“{row.name}”"
    return text + (f"，承诺{limit}办结。" if limit else "。")


def _duration(amount: int | None, unit: str) -> str:
    """A limit as a duration of XML Schema. Working days are given as days: the vocabulary has no others."""
    if unit == "spot":
        return "PT0S"
    if amount is None or not unit:
        return ""
    return {"hour": f"PT{amount}H", "month": f"P{amount}M"}.get(unit, f"P{amount}D")
