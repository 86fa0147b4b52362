"""The district's pack on its way into the ledger: the plan's facts, and for a demonstration a history played through.

The history is not written into tables: each line of its recipe is carried out by the ordinary actions, as the account
it names, with the clock set to its moment. What the rules refuse stops the loading.
"""

import heapq
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import at, now
from liangzhu.kernel.pack import Pack
from liangzhu.kernel.worker import drain
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.facts import ArticleFacts, TargetFact
from liangzhu.pillars.programme.models import PlanDocument, PlanTask, TaskStep
from liangzhu.pillars.programme.truth import SIGNS


def _articles(pack: Pack, tree: "directory.UnitTree") -> list[ArticleFacts]:
    """The articles of `plan.toml` that are tasks, with units by name as the plan names them."""
    plan = pack.toml("plan.toml")
    sets = {row["key"]: row["text"] for row in pack.toml("unit_sets.toml")["set"]}
    chapters = {no: chapter["title"] for chapter in plan["chapter"] for no in chapter["articles"]}

    def name(key: str) -> str:
        return tree.by_key(key).name

    found = []
    for article in plan["article"]:
        if not article["task"]:
            continue
        days = [row["date"] for row in article.get("deadlines", ())]
        found.append(
            ArticleFacts(
                no=article["no"],
                chapter=chapters[article["no"]],
                title=article["title"],
                lead=name(article["lead"]) if article.get("lead") else "",
                helpers=tuple(name(key) for key in article.get("helpers", ())),
                open_sets=tuple(sets[key] for key in article.get("open_sets", ())),
                due_on=max(days, default=None),
                targets=tuple(
                    TargetFact(
                        text=f"{target['name']} {SIGNS[target['op']]} {target['value']}{target['unit']}",
                        name=target["name"],
                        op=target["op"],
                        amount=Decimal(str(target["value"])),
                        measure=target["unit"],
                        due_on=target.get("due"),
                        indicator_key=target.get("indicator", ""),
                    )
                    for target in article.get("target", ())
                ),
            )
        )
    return found


def load_plan(pack: Pack, *, demo: bool) -> None:
    """Open the ledger of the pack's plan, once. The lead of an article that names none is left to the office."""
    plan = pack.toml("plan.toml")
    if PlanDocument.objects.filter(number=plan["number"]).exists():
        return
    with at(datetime.combine(plan["issued_on"], datetime.min.time()).replace(hour=9)):
        tree = directory.units()
        articles = _articles(pack, tree)
        leads = {task["no"]: task["lead"] for task in _recipe(pack).get("task", ())}
        articles = [
            article
            if article.lead or article.no not in leads
            else ArticleFacts(**{**vars(article), "lead": tree.by_key(leads[article.no]).name})
            for article in articles
        ]
        actions.open_ledger_from_facts(
            SYSTEM,
            number=plan["number"],
            title=plan["title"],
            issuer=tree.by_key(plan["issuer"]).name,
            issued_on=plan["issued_on"],
            articles=articles,
            demo=demo,
        )


def _recipe(pack: Pack) -> dict:
    return pack.toml("history.toml")


def history_exists() -> bool:
    """Whether the demonstration history was played already (or people began to work)."""
    return PlanTask.objects.filter(matter__isnull=False).exists()


class HistoryError(RuntimeError):
    """A line of the recipe that the rules refused; the message names it."""


def play_history(pack: Pack, say: Callable[[str], None] = lambda line: None) -> int:
    """Carry out the recipe in the order of its moments. Returns the number of lines. Raises HistoryError."""
    recipe = _recipe(pack)
    document = PlanDocument.objects.get(number=pack.toml("plan.toml")["number"])
    player = Player(pack, document)
    count = 0
    for moment, _, task, event in heapq.merge(*_lines(recipe)):
        while player.day is None or player.day < moment.date():
            player.end_day(moment.date())
        with at(moment):
            try:
                player.play(task, event)
            except (Problem, KeyError) as problem:
                detail = getattr(problem, "detail", repr(problem))
                raise HistoryError(
                    f"{moment} {event['who']} {event['what']} {task and task['no']}: {detail}"
                ) from problem
        count += 1
    player.end_day(recipe["last_day"])
    return count


def _lines(recipe: dict) -> Iterator[list[tuple[datetime, int, dict | None, dict]]]:
    """All lines as sorted lists of (moment, position, task, event), one list per source."""
    position = 0
    for task in [None, *recipe["task"]]:
        rows = []
        for event in recipe["events"] if task is None else task["events"]:
            position += 1
            rows.append((event["at"], position, task, event))
        yield sorted(rows, key=lambda row: row[:2])


class Player:
    """Carries out single lines of a recipe, each by the ordinary action."""

    def __init__(self, pack: Pack, document: PlanDocument):
        self.pack = pack
        self.document = document
        self.recipe = {task["no"]: task for task in _recipe(pack)["task"]}
        self.day: date | None = None

    def end_day(self, until: date) -> None:
        """Let the days pass: reminders go out, numbers are measured and the state of the clauses is kept."""
        if self.day is None:
            self.day = until
            return
        while self.day < until:
            with at(datetime.combine(self.day, datetime.min.time()).replace(hour=18)):
                drain()
                matters.remind()
                indicators.measure_all(self.day)
                actions.judge_clauses(SYSTEM, document_id=self.document.pk, day=self.day)
            self.day += timedelta(days=1)

    def task(self, no: int) -> PlanTask:
        """A task by its article."""
        return PlanTask.objects.select_related("matter").get(document=self.document, article_no=no)

    def unit(self, key: str) -> int:
        """A unit of the pack."""
        return directory.units().by_key(key).id

    def play(self, task: dict | None, event: dict) -> None:
        """One line; a line with several tasks is carried out once for each."""
        numbers = [task["no"]] if task else event.get("tasks", [])
        do = getattr(self, f"do_{event['what']}")
        if event["what"] == "report_value":
            do(event)
            return
        for no in numbers:
            do(self.actor(event), self.task(no), self.recipe[no], event)

    def actor(self, event: dict, who: str = "") -> "directory.Staff":
        """The person of a line, at the post of the line."""
        return access.actor_of(who or event["who"], event.get("post"))

    def evidence(self, actor: "directory.Staff", event: dict) -> list[int]:
        """The files of a line, generated, each saying that it is made up."""
        made = []
        for name in event.get("evidence", ()):
            text = f"演示材料（虚构）\n{name.rpartition('.')[0]}\n报送：{actor.label}\n日期：{now():%Y-%m-%d}\n\n{event['text']}\n"
            made.append(files.stage(actor, upload=SimpleUploadedFile(name, text.encode(), "text/plain")).pk)
        return made

    def step_of(self, task: PlanTask, recipe: dict, key: str) -> TaskStep:
        """A step of a task by the recipe's key."""
        wanted = next(step for step in recipe["steps"] if step["key"] == key)
        return next(step for step in task.steps.all() if step.title == wanted["title"])

    def advance(
        self, actor, task: PlanTask, transition: str, data: dict | None = None, part_id: int | None = None
    ):
        """One step of the task's matter."""
        matters.step(actor, matter_id=task.matter_id, transition=transition, data=data or {}, part_id=part_id)

    def part(self, actor, task: PlanTask) -> int:
        """The part of the actor's unit."""
        return task.helpers.get(unit_id=actor.unit_id).part_id

    def extension(self, task: PlanTask):
        """The request for extension that is open."""
        return task.extensions.filter(matter__closed_at=None).get()

    def do_issue(self, actor, task, recipe, event):
        """下达."""
        named = set(task.helpers.values_list("unit_id", flat=True)) | {task.lead_unit_id}
        added = [unit for unit in map(self.unit, recipe.get("added", ())) if unit not in named]
        actions.issue_task(actor, task_id=task.pk, due_on=recipe.get("due"), helper_ids=added)

    def do_sign(self, actor, task, recipe, event):
        """签收."""
        self.advance(actor, task, "sign")

    def do_split_steps(self, actor, task, recipe, event):
        """分解节点."""
        wanted = [step for step in recipe["steps"] if step["key"] in event["steps"]]
        steps = [
            {"title": step["title"], "due_on": step["due"], "unit_id": task.lead_unit_id} for step in wanted
        ]
        actions.split_steps(actor, task_id=task.pk, steps=steps)

    def do_report_step(self, actor, task, recipe, event):
        """报节点进展；做完的同时记为完成."""
        data = {"progress": event["text"], "files": self.evidence(actor, event)}
        self.advance(actor, task, "report_progress", data)
        if event["done"]:
            actions.finish_step(
                actor, step_id=self.step_of(task, recipe, event["step"]).pk, result=event["text"]
            )

    def do_report(self, actor, task, recipe, event):
        """报进展，或申请销号."""
        files_of = self.evidence(actor, event)
        if event["kind"] == "completion":
            self.advance(actor, task, "report_done", {"result": event["text"], "files": files_of})
        else:
            self.advance(actor, task, "report_progress", {"progress": event["text"], "files": files_of})

    def do_send_back(self, actor, task, recipe, event):
        """退回."""
        self.advance(actor, task, "send_back", {"reason": event["text"]})

    def do_close(self, actor, task, recipe, event):
        """核查销号."""
        self.advance(actor, task, "close", {"finding": event["text"]})

    def do_ask_extension(self, actor, task, recipe, event):
        """申请延期."""
        actions.ask_extension(actor, task_id=task.pk, new_due=event["until"], reason=event["reason"])

    def do_agree_extension(self, actor, task, recipe, event):
        """单位负责人同意上报."""
        matters.step(actor, matter_id=self.extension(task).matter_id, transition="agree", data={})

    def do_approve_extension(self, actor, task, recipe, event):
        """批准延期."""
        matters.step(actor, matter_id=self.extension(task).matter_id, transition="approve", data={})

    def do_refuse_extension(self, actor, task, recipe, event):
        """不予延期."""
        matters.step(
            actor,
            matter_id=self.extension(task).matter_id,
            transition="refuse",
            data={"reason": event["text"]},
        )

    def do_helper_sign(self, actor, task, recipe, event):
        """配合单位签收."""
        self.advance(actor, task, "helper_sign", part_id=self.part(actor, task))

    def do_helper_report(self, actor, task, recipe, event):
        """配合单位回报."""
        self.advance(actor, task, "helper_report", {"result": event["text"]}, part_id=self.part(actor, task))

    def do_comment(self, actor, task, recipe, event):
        """留言."""
        matters.comment(actor, matter_id=task.matter_id, text=event["text"])

    def do_publish(self, actor, task, recipe, event):
        """对外公开."""
        actions.publish_task(actor, task_id=task.pk, public=True, summary=recipe.get("public_summary", ""))

    def do_urge(self, actor, task, recipe, event):
        """催办."""
        actions.urge(actor, task_ids=[task.pk], body=event["text"])

    def do_criticise(self, actor, task, recipe, event):
        """通报：一人起草，另一人签发."""
        drafter = access.actor_of(event["drafted_by"])
        letter = actions.draft_criticism(
            drafter, task_ids=[task.pk], title=event["title"], body=event["text"]
        )
        actions.sign_letter(actor, letter_id=letter.pk)

    def do_report_value(self, event):
        """报指标数值，另一人确认."""
        snapshot = indicators.report(
            self.actor(event),
            key=event["indicator"],
            as_of=event["as_of"],
            value=Decimal(str(event["value"])),
            source="演示数据（虚构）",
            note=event.get("note", ""),
        )
        if event.get("confirmed_by"):
            with at(now() + timedelta(minutes=20)):
                indicators.confirm(access.actor_of(event["confirmed_by"]), snapshot_id=snapshot.pk)
