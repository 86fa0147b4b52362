"""The one kind of matter of this app: somebody asks why his data was read (查阅疑问)."""

from django.urls import reverse

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources.models import Question
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.refs import Ref, describe

KIND = "trail_question"


@matters.effect("sources.answer_question")
def answer_question(act, matter, params: dict, data: dict, transition) -> None:
    """Keep the answer beside the question, and tell who asked."""
    row = Question.objects.select_related("matter").get(matter=matter)
    row.answer = data["answer"]
    row.save(update_fields=["answer"])
    residents.tell(
        [Ref.parse(matter.applicant)],
        key=f"sources.answer:{matter.pk}",
        title="您问的查阅原因，单位已经答复",
        text="点开看读取单位的答复。不认可的，可以向区数据主管部门反映，或者拨打12345。",
        url=reverse("sources:own_read", args=[row.read_id]),
        about=matter.ref,
    )


def question_panel(actor, matter) -> dict:
    """What the page of the matter shows: which reading, and what was asked."""
    row = Question.objects.select_related("matter", "read__person").get(matter=matter)
    label, _ = describe({Ref.parse(row.read.operator)}, actor)[Ref.parse(row.read.operator)]
    return {"question": row, "read": row.read, "operator": label}


matters.register_kind(
    KIND,
    "查阅疑问",
    process=KIND,
    panels=[("sources/panels/question.html", question_panel)],
    own_url=lambda matter: reverse("sources:own_read", args=[matter.question.read_id]),
    elsewhere="本人在“谁看过我的信息”里提出时登记",
)
