"""Generating readings of residents' values, and what some of those residents ask about them."""

from datetime import timedelta

from liangzhu.beams.people.registers.api import NaturalPerson
from liangzhu.beams.trust.sources.models import Question, Read
from liangzhu.beams.trust.sources.processes import KIND
from liangzhu.beams.work.matters import generators as matters
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.refs import Ref

SHARE = 0.02
"""Questions for one plan task."""

FIELDS = (("phone",), ("document_number",), ("document_number", "name"), ("address",), ("address", "phone"))
REASONS = ("核对申请人身份", "电话联系补正材料", "核实居住地址", "制作送达文书", "回访办理结果")
ASKED = (
    "我这几天没有办过事，为什么要看我的信息？",
    "想知道是为了哪件事看的，依据是什么。",
    "已经办结了，为什么还要再看一次？",
    "请说明是哪个科室看的，看了以后怎样保管。",
)

ANSWERS = (
    "当时在办您申请的事项，按规定核对了登记信息，看后没有保存和转发。",
    "因材料缺少联系方式，经办人查看电话是为了通知您补正，当天已与您联系。",
    "办结后按规定回访，查看的是登记的联系方式；以后回访前会先发短信说明。",
    "系经办人核对送达地址时查看，依据是送达文书的规定，查看记录已存入案卷。",
)


@matters.generates
class QuestionRecipe(matters.Recipe):
    """查阅疑问: asked a few days after a reading by an officer of the unit, which the matter's page shows."""

    kind = KIND
    share = SHARE
    applicants = ("natural_person",)
    effects = {"sources.answer_question": lambda walk, params, values: setattr(walk, "own", values["answer"])}

    def __init__(self):
        self.read = 0

    def open(self, maker, process, at):
        """The reading, with its leaf, and the question about it."""
        rng, unit = maker.rng, maker.unit()
        whose = maker.applicant(self.applicants)
        hand = rng.choice(maker.cast.of(unit.id, "matters.officer"))
        moment = at - timedelta(seconds=rng.randint(3600, 400_000))
        names = rng.choice(FIELDS)
        titles = "、".join(str(NaturalPerson._meta.get_field(name).verbose_name) for name in names)
        reason = rng.choice(REASONS)
        self.read = maker.book[Read].add(
            person_id=int(Ref.parse(whose).id),
            thing=whose,
            at=moment,
            reader=Read.STAFF,
            operator=hand.ref,
            unit=unit.id,
            unit_name=unit.name,
            channel="unmask",
            fields=" ".join(names),
            titles=titles,
            reason=reason,
        )
        details = {"fields": sorted(names), "reason": reason}
        maker.book.leaf(moment, hand.ref, f"unit:{unit.id}", "kernel.read", whose, details)
        return matters.Opening(
            title=f"{moment.astimezone(SHANGHAI):%Y年%m月%d日} 查看完整信息：{titles}",
            parties={"reader": unit.id},
            holding_unit_id=unit.id,
            actor=matters.outsider(whose, "本人"),
            action="sources.ask_why",
            applicant=whose,
            opening="本人提出疑问",
        )

    def answers(self, walk, step, values):
        """What the unit tells whoever asked."""
        return values | ({"answer": walk.rng.choice(ANSWERS)} if "answer" in values else {})

    def begun(self, walk):
        """The question is kept under the matter's key when its walk is over."""
        walk.reading = self.read

    def ended(self, walk):
        """The question and its answer."""
        walk.book[Question].add(
            matter_id=walk.id, read_id=walk.reading, text=walk.rng.choice(ASKED), answer=walk.own or ""
        )


matters.also_writes(Read, Question)
