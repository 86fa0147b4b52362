"""Committed query budgets of the pages of applications and their cases, policies and ratings."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at
from liangzhu.pillars.services.actions import incentives
from liangzhu.pillars.services.models import Material

from .applying import CLINIC, ready, send
from .test_ratings import ask

BUDGETS = Path(__file__).with_name("query_budgets.json")
SLACK = 4
"""A few more where a clock's or a tree's held copy ran out meanwhile."""

pytestmark = pytest.mark.django_db


def keep_to_budgets(pages: dict[str, tuple[Client, str]]) -> None:
    budgets, found = json.loads(BUDGETS.read_text()), {}
    for name, (client, address) in pages.items():
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200, name
        found[name] = len(seen)
    over = {name: (n, budgets.get(name)) for name, n in found.items() if n > budgets.get(name, 0) + SLACK}
    assert over == {}, json.dumps(found)


def test_pages_of_applications_and_cases_keep_their_query_budgets(clinic, as_resident, put):
    with at("2022-10-20 09:00"):
        lin, public = as_resident("林晓禾"), Client(SERVER_NAME="localhost")
        officer = put("yi", "weijianwei", "matters.officer")
        begun, sent = ready(lin), send(lin, ready(lin))
        material = begun.materials.filter(state=Material.GIVEN).first()
        case = sent.cases.get(part="permit")
        words = {True: "yes", False: "no"}
        said = urlencode({name: words.get(value, value) for name, value in CLINIC.items()})
        keep_to_budgets(
            {
                "search": (public, reverse("services:home") + "?q=开诊所"),
                "guide": (public, reverse("services:guide", args=["zhensuo_beian"])),
                "bundle": (public, reverse("services:bundle", args=["open_clinic"])),
                "look_up": (public, reverse("services:look_up")),
                "begin": (lin.client, f"{reverse('services:begin', args=['open_clinic'])}?{said}"),
                "application_begun": (lin.client, reverse("services:application", args=[begun.pk])),
                "application_sent": (lin.client, reverse("services:application", args=[sent.pk])),
                "materials": (lin.client, reverse("services:materials", args=[begun.pk])),
                "material": (lin.client, reverse("services:material", args=[begun.pk, material.pk])),
                "delivery": (lin.client, reverse("services:delivery", args=[begun.pk])),
                "case_of_the_department": (
                    officer.client,
                    reverse("matters:matter", args=[case.matter_id]),
                ),
            }
        )


def test_pages_of_policies_and_ratings_keep_their_query_budgets(items_loaded, as_resident, put):
    from liangzhu.beams.work.matters import api as matters

    with at("2022-10-20 09:00"):
        matters.load_processes()
        editor = put("zheng", "gongxinju", "services.incentive_editor", "matters.officer")
        reviewer = put("fu", "gongxinju", "services.incentive_reviewer", "matters.officer")
        head = put("tou", "weijianwei", "matters.head", "matters.officer")
        document = incentives.collect(
            editor.actor,
            title="若干措施",
            number="某工信〔2022〕7号",
            issuer="区工信局",
            published_on=date(2022, 10, 19),
            unit_id=directory.units().by_key("gongxinju").id,
        )
        for name in ("稳岗奖励", "扩岗奖励", "技改奖励"):
            draft = incentives.begin(editor.actor, document_id=document.pk)
            values = {
                "name": name,
                "summary": "一次性奖励一万元。",
                "benefit": "一万元。",
                "how": "到企业服务科申报。",
                "contact": "0518-12345",
                "amount": Decimal(10000),
            }
            incentives.edit(editor.actor, version_id=draft.pk, values=values)
            for wording, fact, op, value in (
                ("小型、微型企业", "size", "in", "small micro"),
                ("从业人员20人以上", "headcount", "ge", "20"),
            ):
                incentives.put_criterion(
                    editor.actor, version_id=draft.pk, wording=wording, fact=fact, op=op, values=value
                )
            incentives.submit(editor.actor, version_id=draft.pk)
            policy = incentives.decide(reviewer.actor, version_id=draft.pk, accept=True).incentive
        firm = as_resident("林晓禾", level=3, firm=("913299990000000198", "某某电子有限公司"))
        lin, public = as_resident("周宁"), Client(SERVER_NAME="localhost")
        row, _ = ask(SYSTEM, rater=lin.person)
        keep_to_budgets(
            {
                "policies": (public, reverse("services:policies")),
                "policy": (public, reverse("services:policy", args=[policy.pk])),
                "my_policies": (firm.client, reverse("services:my_policies")),
                "my_policy": (firm.client, reverse("services:my_policy", args=[policy.pk])),
                "my_facts": (firm.client, reverse("services:my_facts")),
                "policy_desk": (editor.client, reverse("services:policy_desk")),
                "policy_document": (editor.client, reverse("services:policy_document", args=[document.pk])),
                "policy_figures": (editor.client, reverse("services:policy_figures")),
                "rate": (public, reverse("services:rate")),
                "my_ratings": (lin.client, reverse("services:my_ratings")),
                "my_rating": (lin.client, reverse("services:my_rating", args=[row.pk])),
                "ratings": (head.client, reverse("services:ratings")),
            }
        )
