"""The demonstration's services: applications, ratings, policies, halls, played through by the ordinary actions.

The recipe (pack, `services_history.toml`) says who applied for what and when, and what became of each part; every step is
carried out as the resident or the account that may do it, with the clock set to its moment. What the rules refuse stops
the loading.
"""

import heapq
import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.applications import api as departments
from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import identifiers, stopping
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import SHANGHAI, at, now, today
from liangzhu.kernel.pack import Pack
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import drain
from liangzhu.pillars.services import bundles, halls
from liangzhu.pillars.services.actions import cases as applying
from liangzhu.pillars.services.actions import halls as queueing
from liangzhu.pillars.services.actions import incentives, ratings
from liangzhu.pillars.services.models import Application, Case, Item, Material, Payout, Rating, Ticket
from liangzhu.pillars.services.queries.incentives import to_match

FILE = "services_history.toml"
PROVINCE = Actor(ref=Ref("identity_provider", "province"), label="省统一身份认证")
PAPER = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
"""An empty page: what was uploaded in a demonstration says nothing about anybody."""

DECIDE = {
    "permit_case": ("grant", "refuse"),
    "filing_case": ("file", "decline_filing"),
    "registration_case": ("register", "refuse"),
    "service_case": ("grant", "refuse"),
}
ACCEPTS = ("permit_case", "service_case")
"""Kinds of case that are accepted first; the others are decided as they come."""


class HistoryError(RuntimeError):
    """A line of the recipe that the rules refused; the message names it."""


def history_begins(pack: Pack) -> datetime | None:
    """When the items of a demonstration are there before anybody applies; None once they are, or without a recipe."""
    if not (pack.folder / FILE).exists() or Item.objects.exists():
        return None
    return _moment(pack.toml(FILE)["begins"], 8)


def history_exists() -> bool:
    """Whether the services' history was played already, or people began to apply."""
    return Application.objects.exists()


def play_history(pack: Pack) -> int:
    """Carry the recipe out; returns how many steps. Raises HistoryError. A pack without the file has no such history."""
    if not (pack.folder / FILE).exists():
        return 0
    return Player(pack).play()


class Player:
    """Lets the days of the recipe pass; what happened makes what happens next."""

    def __init__(self, pack: Pack):
        self.recipe = pack.toml(FILE)
        self.rng = random.Random(str(self.recipe["seed"]))
        self.people = {one["key"]: one for one in pack.toml("residents.toml")["person"]}
        self.firms = {one["uscc"]: one for one in pack.toml("residents.toml")["enterprise"]}
        for place, (key, (name, born)) in enumerate(self.recipe["people"].items(), 1):
            number = identifiers.complete("person", f"329999{born:%Y%m%d}{place * 2 + 201:03d}")
            self.people[key] = {"key": key, "name": name, "number": number, "level": 2}
        self.until = now()
        self.queue: list[tuple[datetime, int, Callable[[], None], str]] = []
        self.count = 0
        self._residents: dict[tuple, Any] = {}
        self._staff: dict[tuple, Actor] = {}

    # -- time ---------------------------------------------------------------------------------------------------

    def plan(self, moment: datetime, what: str, run: Callable[..., None], *given: Any) -> None:
        """Let something happen at a moment, unless that has not come on the demonstration day."""
        if moment <= self.until:
            self.count += 1
            heapq.heappush(self.queue, (moment, self.count, lambda: run(*given), what))

    def later(self, workdays: float) -> datetime:
        """A moment of office hours, so many working days after now; 0.1 is within the same hour or two."""
        if workdays < 1:
            moment = now() + timedelta(hours=24 * workdays * self.rng.uniform(0.8, 1.2))
            local = moment.astimezone(SHANGHAI)
            if local.time() < time(17, 20) and matters.work_calendar().is_workday(local.date()):
                return moment
        day = today()
        for _ in range(max(int(workdays), 1)):
            day += timedelta(days=1)
            while not matters.work_calendar().is_workday(day):
                day += timedelta(days=1)
        return self.office(day)

    def office(self, day: date) -> datetime:
        """Some moment of office hours of a day."""
        minutes = self.rng.choice((self.rng.randint(545, 700), self.rng.randint(840, 1030)))
        return datetime.combine(day, time(), SHANGHAI) + timedelta(minutes=minutes)

    def play(self) -> int:
        """From the first moment to now."""
        for one in self.recipe["application"]:
            self.plan(_moment(one["at"]), one["bundle"], self.begin, one)
        for one in self.recipe["policy"]:
            self.plan(_moment(one["at"]), one["title"], self.collect, one)
        for one in self.recipe["department_application"]:
            self.plan(_moment(one["at"]), one["title"], self.register, one)
        for one in self.recipe["hall_day"]:
            self.plan(_moment(one["day"], 8), "大厅", self.hall_day, one)
        for one in self.recipe["appointment"]:
            self.plan(_moment(one["at"]), "预约", self.book, one)
        steps, day = 0, None
        while self.queue:
            moment, _, run, what = heapq.heappop(self.queue)
            here = moment.astimezone(SHANGHAI).date()
            while day is not None and day < here:
                self.end_day(day)
                day += timedelta(days=1)
            day = here
            stopping.check()
            with at(moment):
                try:
                    run()
                except (Problem, KeyError, StopIteration) as problem:
                    detail = getattr(problem, "fields", None) or getattr(problem, "detail", repr(problem))
                    raise HistoryError(f"{moment:%Y-%m-%d %H:%M} {what}：{detail}") from problem
            steps += 1
        with at(self.until):
            for incentive_id in to_match():
                incentives.match(SYSTEM, incentive_id=incentive_id)
            drain()
        return steps

    def end_day(self, day: date) -> None:
        """What the worker does over a day: triggers, reminders, default ratings, halls that close."""
        with at(datetime.combine(day, time(18), SHANGHAI)):
            drain()
            matters.remind()
            if Rating.objects.filter(state=Rating.ASKED, asked_at__lte=now() - timedelta(days=10)).exists():
                ratings.default(SYSTEM)
            if day.weekday() < 5:
                queueing.close_old_days()

    # -- people -------------------------------------------------------------------------------------------------

    def resident(self, key: str, uscc: str = "") -> Any:
        """Somebody who signed in with the province, for an enterprise of his where one is named."""
        if (key, uscc) not in self._residents:
            one, firm = self.people[key], None
            if uscc:
                known = self.firms[uscc]
                grant = next((row for row in known.get("agent", ()) if row["person"] == key), None)
                more = (
                    {"agent": True, "granted_on": grant["granted_on"], "until": grant["until"]}
                    if grant
                    else {}
                )
                firm = residents.Enterprise(uscc, known["name"], **more)
            identity = residents.Identity(one["name"], "citizen_id", one["number"], one["level"], firm)
            moment = now()
            row = residents.sign_in(
                PROVINCE, identity=identity, device="演示", address="127.0.0.1", at=moment
            )
            self._residents[key, uscc] = residents.actor_of(row)
            residents.sign_out(self._residents[key, uscc], at=moment)
        return self._residents[key, uscc]

    def staff(self, unit_id: int, *roles: str) -> Actor:
        """Somebody of a unit with one of the roles. Raises StopIteration when nobody is."""
        if (unit_id, roles) not in self._staff:
            found = sorted(
                (
                    one
                    for one in directory.posts()
                    if one.unit_id == unit_id and not one.roles.isdisjoint(roles)
                ),
                key=lambda one: ("codes.window" in one.roles, one.id),
            )
            post = next(iter(found))
            account = access.Account.objects.get(person_id=post.person_id)
            self._staff[unit_id, roles] = access.actor_of(account.username, post.key)
        return self._staff[unit_id, roles]

    # -- applying -----------------------------------------------------------------------------------------------

    def begin(self, one: dict) -> None:
        """Begin, fill in, prepare the materials, and send."""
        who = self.resident(one["who"], one.get("for", ""))
        row = applying.begin(who, bundle=one["bundle"], answers=one.get("answers", {}))
        self.fill(who, row, one)
        if one.get("unsent"):
            return
        for material in row.materials.filter(state=Material.AVAILABLE):
            applying.bring(who, material_id=material.pk)
        for material in row.materials.filter(state=Material.WANTED):
            if material.on_promise:
                applying.promise(who, material_id=material.pk)
            else:
                paper = SimpleUploadedFile(
                    f"{material.title[:40].replace('/', ' ')}.pdf", PAPER, "application/pdf"
                )
                applying.give(who, material_id=material.pk, uploads=[files.stage(who, upload=paper).pk])
        if "delivery" in one:
            applying.choose_delivery(
                who, application_id=row.pk, delivery=one["delivery"], address=one.get("address", "")
            )
        row.refresh_from_db()
        applying.submit(who, application_id=row.pk, version=row.version, declared=True)
        for case in row.cases.order_by("id"):
            self.look_after(case.pk, one)

    def fill(self, who, row: Application, one: dict) -> None:
        """Fill in the form: what the recipe says of this application, of its bundle, of everybody."""
        key = bundles.in_release(row).form
        person = self.people[one["who"]]
        given = self.recipe["form"].get("every", {}) | self.recipe["form"].get(key, {}) | one.get("form", {})
        given |= {"person_name": person["name"], "person_number": person["number"]}
        if "about" in one:
            given["about"] = one["about"]
        if firm := self.firms.get(one.get("for", "")):
            given |= {"for_organisation": True, "organisation": firm["name"], "uscc": firm["uscc"]}
        draft = forms.begin(who, key=key, subject=str(row.ref))
        asked = {field.name: field for _, field in forms.edition(key, str(row.ref)).all_fields()}
        kept = {name: _kept(asked[name], value) for name, value in given.items() if name in asked}
        forms.save(who, draft_id=draft.pk, version=draft.version, answers=kept)

    def look_after(self, case_id: int, one: dict) -> None:
        """Plan the next step of a case; one that waits for another is looked at when that one is decided."""
        case = Case.objects.select_related("matter").get(pk=case_id)
        wish = one.get("parts", {}).get(case.part, "grant")
        state = case.matter.state
        if case.matter.closed_at or state in ("granting", "refusing"):
            self.plan(self.later(0.5), "领取", self.hand_out, case.application_id, one)
            return
        if state == "waiting":
            return
        pace = one.get("pace", 1.0)
        if state == "received" and wish != "received":
            if wish in ("correct", "correcting") and not self.done(case, "ask_correction"):
                self.plan(self.later(0.12), "补正", self.ask_correction, case_id, one)
            elif case.kind in ACCEPTS:
                self.plan(self.later(0.05 if case.immediate else 0.15), "受理", self.accept, case_id, one)
            else:
                self.plan(self.decision(case, wish, pace), "决定", self.decide, case_id, one)
        elif state == "accepted" and wish == "withdraw":
            self.plan(self.later(1), "撤回", self.withdraw, case_id, one)
        elif state == "correcting" and wish == "correct":
            self.plan(self.later(2), "补正", self.correct, case_id, one)
        elif state == "accepted" and wish == "suspended":
            self.plan(self.later(2), "中止", self.suspend, case_id, one)
        elif state == "accepted" and wish not in ("accepted", "received"):
            self.plan(self.decision(case, wish, pace), "决定", self.decide, case_id, one)

    def decision(self, case: Case, wish: str, pace: float) -> datetime:
        """When a case is decided: within what was promised, or two working days beyond it."""
        promised = case.promised_amount or 0
        if wish == "late":
            return self.later(promised + 2)
        if case.immediate or not promised:
            return self.later(0.04)
        return self.later(max(0.2, promised * pace * self.rng.uniform(0.25, 0.75)))

    @staticmethod
    def done(case: Case, step: str) -> bool:
        """Whether a step of a case was done before."""
        return case.matter.entries.filter(transition=step).exists()

    def step(self, actor: Actor, matter_id: int, name: str, part_id: int | None = None, **data: Any) -> None:
        """A step of a matter."""
        matters.step(actor, matter_id=matter_id, transition=name, data=data, part_id=part_id)

    def accept(self, case_id: int, one: dict) -> None:
        """Acceptance by the department."""
        case = Case.objects.get(pk=case_id)
        self.step(self.staff(case.unit_id, "matters.officer"), case.matter_id, "accept")
        if case.needs_check:
            self.plan(self.later(1), "约核查", self.call_check, case_id)
        self.look_after(case_id, one)

    def call_check(self, case_id: int) -> None:
        """The window calls the departments to the site, each once."""
        case = Case.objects.select_related("application").get(pk=case_id)
        matter = case.application.matter
        if matter.parts.filter(unit_id=case.unit_id).exists() or matter.closed_at:
            return
        visit = self.later(1)
        window = self.staff(matter.holding_unit_id, "matters.officer")
        units = list(
            case.application.cases.filter(needs_check=True, unit_id=case.unit_id).values_list(
                "unit_id", flat=True
            )
        )[:1]
        given = {"check_on": visit.astimezone(SHANGHAI).date(), "units": units}
        self.step(window, matter.pk, "call_site_check", **given)
        self.plan(visit, "核查", self.record_check, case_id)

    def record_check(self, case_id: int) -> None:
        """Two of the department looked at the site."""
        case = Case.objects.select_related("application__matter").get(pk=case_id)
        part = case.application.matter.parts.filter(unit_id=case.unit_id, done_at=None).first()
        if part is not None:
            given = self.recipe["check"] | {"checked_on": today()}
            self.step(
                self.staff(case.unit_id, "matters.officer"),
                case.application.matter_id,
                "record_check",
                part.pk,
                **given,
            )

    def ask_correction(self, case_id: int, one: dict) -> None:
        """Everything that is missing, told once."""
        case = Case.objects.get(pk=case_id)
        missing = one.get("missing", "平面图没有标注面积，请补标后重新上传。")
        self.step(
            self.staff(case.unit_id, "matters.officer"), case.matter_id, "ask_correction", missing=missing
        )
        self.look_after(case_id, one)

    def correct(self, case_id: int, one: dict) -> None:
        """The applicant answers."""
        who = self.resident(one["who"], one.get("for", ""))
        paper = SimpleUploadedFile("补正材料.pdf", PAPER, "application/pdf")
        uploads = [files.stage(who, upload=paper).pk]
        applying.correct(who, case_id=case_id, explanation="已按告知书补齐。", uploads=uploads)
        self.look_after(case_id, one)

    def withdraw(self, case_id: int, one: dict) -> None:
        """The applicant takes it back."""
        who = self.resident(one["who"], one.get("for", ""))
        applying.withdraw_case(who, case_id=case_id, reason=one["reason"])

    def suspend(self, case_id: int, one: dict) -> None:
        """A statutory procedure that does not count."""
        case = Case.objects.get(pk=case_id)
        given = self.recipe["suspend"]
        self.step(self.staff(case.unit_id, "matters.officer"), case.matter_id, "suspend", **given)

    def decide(self, case_id: int, one: dict) -> None:
        """The decision, when all that is to be verified is verified and the site was checked."""
        case = Case.objects.select_related("application", "matter").get(pk=case_id)
        if case.matter.closed_at:
            return
        wish = one.get("parts", {}).get(case.part, "grant")
        good = wish != "refuse"
        if case.needs_check and good:
            parts = case.application.matter.parts.filter(unit_id=case.unit_id)
            if not parts.filter(done_at__isnull=False).exists():
                self.plan(self.later(1), "等核查", self.decide, case_id, one)
                return
        officer = self.staff(case.unit_id, "matters.officer")
        waiting = {
            check.material
            for check in sources.checks_of(officer, case.application.ref)
            if check.state == check.OPEN
        }
        for material in case.materials.filter(key__in=waiting, state=Material.TO_VERIFY):
            applying.verify(officer, material_id=material.pk, good=True, note="已在业务系统核对，一致。")
        name = DECIDE[case.kind][0 if good else 1]
        headed = case.kind == "permit_case" or not good
        actor = self.staff(case.unit_id, "matters.head" if headed else "matters.officer")
        waited = list(case.application.cases.filter(matter__state="waiting").values_list("pk", flat=True))
        self.step(actor, case.matter_id, name, **({} if good else {"reason": one["reason"]}))
        drain()
        for each in (case_id, *waited):
            self.look_after(each, one)

    def hand_out(self, application_id: int, one: dict) -> None:
        """At the window, or by post, when everything is decided; and then the rating."""
        row = Application.objects.select_related("matter").get(pk=application_id)
        if row.matter.state == "handing_out":
            way = "邮寄" if row.delivery == Application.POST else "窗口领取"
            receiver = "邮件号 XA00000000032（虚构）" if way == "邮寄" else self.people[one["who"]]["name"]
            self.step(
                self.staff(row.matter.holding_unit_id, "matters.officer"),
                row.matter_id, "hand_out", way=way, receiver=receiver,
            )  # fmt: skip
            row.matter.refresh_from_db()
        if row.matter.state == "closed" and not one.get("asked"):
            one["asked"] = True
            if "rate" in one:
                self.plan(self.later(one.get("rate_after", 1)), "评价", self.rate, application_id, one)

    def rate(self, application_id: int, one: dict) -> None:
        """What the applicant says of it; a bad one is looked into."""
        row = Rating.objects.get(rated=str(Ref("service_application", str(application_id))))
        level, comment = one["rate"][0], (one["rate"] + [""])[1]
        row = ratings.give(
            self.resident(one["who"], one.get("for", "")), rating_id=row.pk, level=level, comment=comment
        )
        if row.matter_id and "followed" in one:
            self.plan(self.later(1), "差评回访", self.follow, row.pk, one["followed"])

    def follow(self, rating_id: int, told: dict) -> None:
        """The unit spoke with who gave a bad rating, and mends what it can."""
        row = Rating.objects.get(pk=rating_id)
        actor = self.staff(row.unit_id, "matters.officer")
        self.step(actor, row.matter_id, "contacted", finding=told["finding"])
        if "result" in told:
            self.plan(
                self.later(2),
                "整改",
                partial(self.step, actor, row.matter_id, "mended", result=told["result"]),
            )

    # -- policies for enterprises -------------------------------------------------------------------------------

    def collect(self, one: dict) -> None:
        """Collect a document, write what it offers, and let a second person publish it."""
        unit = directory.units().by_key(one["unit"]).id
        editor = self.staff(unit, "services.incentive_editor")
        document = incentives.collect(
            editor, title=one["title"], number=one["number"], issuer=one["issuer"],
            published_on=one["published_on"], unit_id=unit, text=one["text"],
        )  # fmt: skip
        version = incentives.begin(editor, document_id=document.pk)
        for row in list(version.criteria.all()):
            incentives.remove_criterion(editor, version_id=version.pk, criterion_id=row.pk)
        values = dict(one["says"])
        for name in ("amount", "budget"):
            if name in values:
                values[name] = Decimal(values[name])
        incentives.edit(editor, version_id=version.pk, values=values)
        for term in one["criteria"]:
            incentives.put_criterion(editor, version_id=version.pk, **term)
        if one.get("stays") == "draft":
            return
        incentives.submit(editor, version_id=version.pk)
        if one.get("stays") == "review":
            return
        self.plan(self.later(0.15), one["title"], self.publish, version.pk, document.matter_id, unit, one)

    def publish(self, version_id: int, matter_id: int, unit: int, one: dict) -> None:
        """The second person publishes it; whom it fits is told."""
        reviewer = self.staff(unit, "services.incentive_reviewer")
        version = incentives.decide(reviewer, version_id=version_id, accept=True)
        self.step(reviewer, matter_id, "structured")
        drain()
        if "payout" in one:
            self.plan(_moment(one["payout"]), "免申即享", self.pay, version.incentive_id, unit, one)

    def pay(self, incentive_id: int, unit: int, one: dict) -> None:
        """List whom it is paid to without application; the first confirms the account and is paid."""
        editor = self.staff(unit, "services.incentive_editor")
        incentives.match(SYSTEM, incentive_id=incentive_id)
        batch = incentives.propose_payout(editor, incentive_id=incentive_id)
        self.plan(self.later(1), "复核名单", self.approve, batch.matter_id, unit, one)

    def approve(self, matter_id: int, unit: int, one: dict) -> None:
        """The second person agrees; who is on the list names an account."""
        self.step(self.staff(unit, "services.incentive_reviewer"), matter_id, "approve")
        for uscc, who in one.get("confirm", {}).items():
            self.plan(self.later(1), "确认账户", self.confirm, matter_id, who, uscc, unit, one)

    def confirm(self, matter_id: int, who: str, uscc: str, unit: int, one: dict) -> None:
        """An enterprise names the account."""
        actor = self.resident(who, uscc)
        line = Payout.objects.filter(
            batch__matter=matter_id, organisation_id=int(actor.organisation.id)
        ).first()
        if line is not None:
            with residents.answering(actor):
                incentives.confirm_account(actor, payout_id=line.pk, **self.recipe["account"])
            if one.get("pays"):
                self.plan(self.later(1), "下达支付", self.order, matter_id, unit)

    def order(self, matter_id: int, unit: int) -> None:
        """Payment is ordered, and made."""
        editor = self.staff(unit, "services.incentive_editor")
        self.step(editor, matter_id, "order")
        self.plan(self.later(2), "支付", self.paid, editor, matter_id)

    def paid(self, editor: Actor, matter_id: int) -> None:
        """The treasury's voucher."""
        self.step(editor, matter_id, "paid", voucher="演示-2022-0001")

    # -- halls --------------------------------------------------------------------------------------------------

    def clerk(self, hall: str) -> Actor:
        """The clerk of a hall at the window."""
        unit = directory.units().by_key(codes.outlets()[hall].unit).id
        return self.staff(unit, codes.WINDOW)

    def hall_day(self, one: dict) -> None:
        """Plan the tickets of a day: who comes when, for what, and the clerk who calls one after another."""
        clerk = self.clerk(one["hall"])
        if codes.desk(clerk) is None:
            codes.set_up_desk(
                clerk, outlet=one["hall"], device=one["window"],
                identity_number=identifiers.complete("person", "32999919800101123"),
            )  # fmt: skip
        place, windowed = halls.hall(one["hall"]), halls.hall(one["hall"]).window(one["window"])
        start, end = place.hours_on(one["day"])[0]
        opened = datetime.combine(one["day"], start, SHANGHAI)
        minutes = (datetime.combine(one["day"], end, SHANGHAI) - opened).seconds // 60
        for minute in sorted(self.rng.randint(1, minutes - 45) for _ in range(one["people"])):
            business = self.rng.choice(windowed.businesses)
            priority = self.rng.choices(("", *halls.rules().priorities), (85, 8, 3, 3, 1))[0]
            self.plan(opened + timedelta(minutes=minute), "取号", self.take, one["hall"], business, priority)
        self.plan(opened + timedelta(minutes=3), "叫号", self.call, clerk, one["served"])

    def take(self, hall: str, business: str, priority: str) -> None:
        """Somebody takes a number at the machine."""
        machine = Actor(ref=Ref("hall_kiosk", hall), label="取号机")
        queueing.take(machine, hall=hall, business=business, priority=priority)

    def call(self, clerk: Actor, left: int) -> None:
        """Call the next one, serve, and go on, until so many were served or nobody waits."""
        if not Ticket.objects.filter(state=Ticket.WAITING, day__day=today()).exists():
            if left and now().astimezone(SHANGHAI).hour < 12:
                self.plan(now() + timedelta(minutes=4), "叫号", self.call, clerk, left)
            return
        ticket = queueing.call_next(clerk)
        self.plan(
            now() + timedelta(seconds=self.rng.randint(20, 70)), "办理", self.serve, clerk, ticket.pk, left
        )

    def serve(self, clerk: Actor, ticket_id: int, left: int) -> None:
        """Whoever was called is there."""
        queueing.start(clerk, ticket_id=ticket_id)
        took = timedelta(seconds=self.rng.randint(180, 720))
        self.plan(now() + took, "办完", self.end_serving, clerk, ticket_id, left)

    def end_serving(self, clerk: Actor, ticket_id: int, left: int) -> None:
        """Done; the next one."""
        queueing.finish(clerk, ticket_id=ticket_id)
        if left > 1:
            self.call(clerk, left - 1)

    def book(self, one: dict) -> None:
        """Somebody books a slot."""
        starts = datetime.combine(one["day"], one["time"], SHANGHAI)
        queueing.book(self.resident(one["who"]), hall=one["hall"], business=one["business"], starts_at=starts)

    # -- applications of departments ----------------------------------------------------------------------------

    def register(self, one: dict) -> None:
        """A department registers its application, another unit reviews it."""
        values = {key: value for key, value in one.items() if key not in ("at", "by", "review", "units")}
        values["redirect_uris"] = tuple(values["redirect_uris"])
        values["units"] = tuple(directory.units().by_key(key).id for key in one.get("units", ()))
        row = departments.register(access.actor_of(one["by"]), given=departments.Declared(**values))
        waiting = row.declarations.get()
        departments.review(access.actor_of(one["review"]), declaration_id=waiting.pk, accept=True)


def _kept(field: Any, value: Any) -> Any:
    """A value of the recipe as forms keep it; of a table, row by row."""
    if field.type != "table":
        return forms.read_value(field, value)
    return [
        {one.name: forms.read_value(one, row[one.name]) for one in field.fields if one.name in row}
        for row in value
    ]


def _moment(day: date | datetime, hour: int = 0) -> datetime:
    """A moment of the recipe, in local time."""
    moment = day if isinstance(day, datetime) else datetime.combine(day, time(hour))
    return moment.replace(tzinfo=SHANGHAI)
