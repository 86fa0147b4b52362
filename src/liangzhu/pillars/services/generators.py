"""Generating applications with their cases, each case on its own way; policies and follow-ups of ratings are not made up.

An application is for an item of its own, or for a bundle whose parts stand beside each other. Taken are items that give out
no certificate and need no site check: what a made-up case would have to show beside its history (certificates, sealed papers,
the form) is not made, and nothing that is left to do asks for it. All are served electronically.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import generators as matters
from liangzhu.kernel.crypto import sm3_hex
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.log import canonical
from liangzhu.kernel.models import Series
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.pack import pack
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.services import bundles, guide, incentive_processes, rating_processes
from liangzhu.pillars.services.models import Application, Case, Item, Material, Rating
from liangzhu.pillars.services.processes import APPLICATION, CASE_KINDS

SHARE = 0.5
"""Applications for one plan task: with their cases nearly half of all matters."""

BUNDLED = 0.15
"""The part of applications that are for a bundle."""

COUNTER = 0.3
"""The part of applications made at a counter."""

RATED = 0.45
"""The part of finished applications that was rated in words; the rest is taken as default (系统默认)."""

ANSWERS: dict[str, tuple[dict[str, Any], ...]] = {
    "retire_soldier": (
        {"way": "self", "household": True, "insurance": True, "card": False, "training": True},
        {"way": "self", "household": False, "insurance": True, "card": False, "training": False},
    ),
    "start_enterprise": (
        {"form": "company", "seal": True, "invoice": True, "employs": True, "fund": False, "account": False},
        {
            "form": "individual",
            "seal": True,
            "invoice": False,
            "employs": False,
            "fund": False,
            "account": True,
        },
    ),
}
"""What is answered in the guides of bundles; a pack without these bundles has single items only."""

DEFAULT_DAYS = 10
MOST = 8
"""Cases of one application at most."""


@dataclass
class OneCase:
    """What a walk keeps of its case until the end."""

    id: int
    application: int
    part: guide.RoutePart
    code: str
    outcome: str = ""
    decided_at: datetime | None = None


@dataclass
class OneApplication:
    """What a walk keeps of its application."""

    id: int
    route: guide.Route
    hand: matters.Hand
    channel: str
    cases: dict[str, matters.Walk] = field(default_factory=dict)


@matters.generates
class ApplicationRecipe(matters.Recipe):
    """申办: opened with its cases, and over when they are."""

    kind = APPLICATION
    share = SHARE
    below = MOST
    applicants = ("natural_person",)
    guards = frozenset({"services.two_checkers"})
    effects = {"services.hand_out": lambda walk, params, values: None}
    conditions = {
        # Everybody is served electronically: nothing is handed out.
        "services.all_decided": lambda walk, params: False,
        "services.all_over": lambda walk, params: all(child.closed for child in walk.children),
    }

    def __init__(self):
        self.routes: dict[str, list[guide.Route]] | None = None
        self.next: tuple[guide.Route, matters.Hand, str] | None = None
        self.numbers: dict[tuple[str, int], int] = {}

    def _routes(self, maker: matters.Maker) -> dict[str, list[guide.Route]]:
        """What can be applied for: the routes of single items, and of bundles."""
        if self.routes is None:
            single = [
                f"{bundles.ONE_ITEM}{key}"
                for key in Item.objects.order_by("key").values_list("key", flat=True)
            ]
            wanted = [(key, {}) for key in single]
            wanted += [(key, one) for key, several in ANSWERS.items() for one in several]
            self.routes = {"single": [], "bundled": []}
            for key, answers in wanted:
                try:
                    found = guide.route(bundles.bundle(key), answers)
                except Problem:
                    continue
                if len(found.parts) <= MOST and all(self._fits(maker, part) for part in found.parts):
                    self.routes["bundled" if answers else "single"].append(found)
        return self.routes

    @staticmethod
    def _fits(maker: matters.Maker, part: guide.RoutePart) -> bool:
        """Whether a part asks for nothing that is not made up, and its unit has somebody for every step."""
        one, cast = part.offer, maker.cast
        heads = cast.of(one.unit_id, "matters.head")
        return not (one.certificate_type or one.needs_check) and bool(
            heads and cast.of(one.unit_id, "matters.officer")
        )

    def open(self, maker, process, at):
        """Somebody applies, online or at the counter."""
        rng, routes = maker.rng, self._routes(maker)
        if not any(routes.values()):
            raise RuntimeError("a district needs items that somebody decides before it has applications")
        several = routes["bundled"] if routes["bundled"] and rng.random() < BUNDLED else routes["single"]
        route = rng.choice(several or routes["bundled"])
        tree = directory.units()
        window = tree.by_key(route.bundle.window).id
        applicant = maker.applicant(self.applicants)
        clerks = maker.cast.of(window, "matters.officer")
        counter = bool(clerks) and rng.random() < COUNTER
        hand = rng.choice(clerks) if counter else matters.outsider(applicant, "本人")
        self.next = route, hand, Application.COUNTER if counter else Application.ONLINE
        return matters.Opening(
            title=route.bundle.title,
            parties={"window": window, "government": tree.by_key(pack().district["government"]).id},
            holding_unit_id=window,
            actor=hand,
            action="services.submit_application",
            applicant=applicant,
            opening="窗口代为提交申请" if counter else "网上提交申请",
            data={},
        )

    def begun(self, walk):
        """Cases beside each other; those that need others wait."""
        route, hand, channel = self.next
        own = walk.own = OneApplication(walk.book[Application].new_id(), route, hand, channel)
        window = walk.parties["window"]
        for part in route.parts:
            walk.maker.room -= 1
            CaseRecipe.next = OneCase(walk.book[Case].new_id(), own.id, part, self._code(walk, part))
            own.cases[part.name] = matters.Walk(
                walk.maker,
                part.offer.kind,
                walk.at,
                matters.Opening(
                    title=part.offer.name,
                    parties={"organ": part.offer.unit_id, "window": window},
                    holding_unit_id=part.offer.unit_id,
                    actor=hand,
                    action="services.submit_application",
                    applicant=walk.applicant,
                    opening="由申办分发",
                    data={},
                ),
                parent=walk,
            )
        for part in route.parts:
            child = own.cases[part.name]
            for name in sorted(part.needs):
                need = own.cases[name]
                child.needs.append(need)
                child.actor, child.action = hand, "services.submit_application"
                child.alone("matters.require", "确定前置事项", f"前置事项：{need.title}（{need.number}）")
            if not part.needs:
                child.take(
                    child.process.flow.transitions["receive"], hand, action="services.submit_application"
                )
        walk.children += own.cases.values()
        if route.plan.limit is not None:
            walk.take(
                walk.process.flow.transitions["start_joint"], hand, action="services.submit_application"
            )
        codes = [child.own.code for child in walk.children]
        walk.leaf(f"service_application:{own.id}", submitted=True, matter=walk.id, cases=codes)
        walk.raise_children()

    def _code(self, walk: matters.Walk, part: guide.RoutePart) -> str:
        """The case's own code, as it is given out when an application is sent."""
        code, day = part.offer.code or part.offer.key, walk.at.astimezone(SHANGHAI)
        key = (f"services:{code}", day.year)
        if key not in walk.maker.counts:
            row = Series.objects.filter(name=key[0], year=key[1]).first()
            walk.maker.counts[key] = row.last if row else 0
        walk.maker.counts[key] += 1
        return f"{code}-{day:%Y%m%d}-{walk.maker.counts[key]:05d}"

    def ended(self, walk):
        """The application, its materials, and what was said of it."""
        own, book, route = walk.own, walk.book, walk.own.route
        book[Application].add(
            id=own.id,
            matter_id=walk.id,
            bundle=route.bundle.key,
            release_id=route.bundle.release_id,
            title=route.bundle.title,
            applicant=walk.applicant,
            begun_by=own.hand.ref,
            channel=own.channel,
            route=canonical(route.decision) if route.decision else "",
            delivery=Application.ELECTRONIC,
            begun_at=walk.opened - timedelta(minutes=walk.rng.randint(4, 90)),
            submitted_at=walk.opened,
            version=2,
        )
        through = Material.cases.through
        for place, one in enumerate(route.materials):
            state = Material.MADE if one.made else Material.HELD if one.why else Material.GIVEN
            number = book[Material].add(
                application_id=own.id,
                place=place,
                key=one.material,
                title=one.title,
                required=one.required,
                state=state,
                why=one.why,
            )
            for name in one.parts:
                book[through].add(material_id=number, case_id=own.cases[name].own.id)
        if walk.state == "closed":
            self._rated(walk, own)

    @staticmethod
    def _rated(walk: matters.Walk, own: OneApplication) -> None:
        """A rating, asked for when all was over: given, taken as default after a while, or still open."""
        maker, rng = walk.maker, walk.rng
        year = walk.closed.astimezone(SHANGHAI).year
        if ("rating", year) not in maker.counts:
            row = Series.objects.filter(name="rating", year=year).first()
            maker.counts["rating", year] = row.last if row else 0
        maker.counts["rating", year] += 1
        number = f"HP-{year}-{maker.counts['rating', year]:06d}"
        given_at = walk.closed + timedelta(hours=rng.randint(1, 24 * DEFAULT_DAYS - 1))
        given = rng.random() < RATED and given_at < maker.times.last
        late = walk.closed + timedelta(days=DEFAULT_DAYS) < maker.times.last
        book = walk.book
        key = book[Rating].add(
            number=number,
            code_digest=sm3_hex(f"{maker.district.seed}:{number}".encode()),
            rated=f"service_application:{own.id}",
            title=walk.title,
            unit_id=walk.unit,
            item=own.route.bundle.key[:40],
            rater=walk.applicant,
            channel="online" if given else "",
            state=Rating.GIVEN if given else Rating.DEFAULT if late else Rating.ASKED,
            level=rng.choices((5, 4, 3), (60, 30, 10))[0] if given else None,
            asked_at=walk.closed,
            given_at=given_at if given else None,
        )
        book.leaf(
            walk.closed,
            matters.SYSTEM_HAND.ref,
            "",
            "services.ask_rating",
            f"rating:{key}",
            {"unit": walk.unit},
        )


class CaseRecipe(matters.Recipe):
    """办件: accepted and decided by its department, after those that it needs."""

    share = 0.0
    next: OneCase
    guards = frozenset(
        {"services.materials_seen", "services.materials_verified", "services.needs_granted",
         "services.site_checked", "services.hearing_notice"}
    )  # fmt: skip
    measures = {
        "services.legal": lambda walk, values, params: _limit(
            walk.own.part.offer.legal or walk.own.part.offer.promised
        ),
        "services.promised": lambda walk, values, params: _limit(
            walk.own.part.offer.promised or walk.own.part.offer.legal
        ),
    }
    effects = {
        "services.decide": lambda walk, params, values: _decide(walk, params),
        "services.voucher": lambda walk, params, values: None,
    }
    conditions = {
        "services.needs_granted": lambda walk, params: _granted(walk),
        "services.needs_failed": lambda walk, params: any(
            one.own.outcome == Case.REFUSED or (one.closed and not one.own.outcome) for one in walk.needs
        ),
        "services.electronic_delivery": lambda walk, params: walk.state in ("granting", "refusing"),
    }

    def prepare(self, walk):
        """The case, before its clocks ask how long it may take."""
        walk.own = CaseRecipe.next

    def passes(self, walk, use):
        """Nothing is received before what it needs was granted."""
        return use.name != "services.needs_granted" or _granted(walk)

    def answers(self, walk, step, values):
        """A procedure that is no hearing: that one has dates of its own."""
        if step.name == "suspend":
            return {"reason": "专家评审", "about": values["about"]}
        return values

    def ended(self, walk):
        """The case's own row."""
        own, one = walk.own, walk.own.part.offer
        walk.book[Case].add(
            id=own.id,
            application_id=own.application,
            matter_id=walk.id,
            part=own.part.name,
            item=one.key,
            item_version=one.version_id,
            name=one.name,
            code=own.code,
            unit_id=one.unit_id,
            basis=own.part.why[:500],
            kind=one.kind,
            legal_amount=one.legal.amount if one.legal else None,
            legal_unit=one.legal.unit if one.legal else "",
            promised_amount=one.promised.amount if one.promised else None,
            promised_unit=one.promised.unit if one.promised else "",
            immediate=one.immediate,
            result=one.result,
            outcome=own.outcome,
            decided_at=own.decided_at,
            **_figures(walk),
        )


def _figures(walk: matters.Walk) -> dict[str, Any]:
    """What `counting` writes on a case, for one that nobody sent or decided."""
    own, whole = walk.own, walk.parent.own
    needed = [one for one in whole.route.materials if own.part.name in one.parts]
    ends = {run.rule.name: run.due for run in walk.clocks} if own.decided_at else {}
    return {
        "received_on": shanghai_date(walk.opened),
        "channel": whole.channel,
        "asked": len(needed),
        "spared": sum(bool(one.made or one.why) for one in needed),
        "decided_on": shanghai_date(own.decided_at) if own.decided_at else None,
        "in_promise": own.decided_at < ends["promise"] if "promise" in ends else None,
        "in_law": own.decided_at < ends["law"] if "law" in ends and own.part.offer.legal else None,
    }


def _granted(walk: matters.Walk) -> bool:
    return all(one.own.outcome == Case.GRANTED for one in walk.needs)


def _limit(term: Any) -> tuple[str, int]:
    if term is None or term.unit == "spot":
        return "workday", 0
    return term.unit, term.amount


def _decide(walk: matters.Walk, params: dict) -> None:
    own = walk.own
    own.outcome = Case.GRANTED if params["granted"] else Case.REFUSED
    own.decided_at = walk.at
    walk.leaf(f"service_case:{own.id}", outcome=own.outcome, certificate="")


for _kind in CASE_KINDS:
    matters.generates(type(f"Recipe_{_kind}", (CaseRecipe,), {"kind": _kind}))


class _None(matters.Recipe):
    share = 0


for _kind in (*incentive_processes.KINDS, *rating_processes.KINDS):
    matters.generates(type(f"Recipe_{_kind}", (_None,), {"kind": _kind}))

matters.also_writes(Application, Case, Material, Material.cases.through, Rating)
