"""The API of matters: lists, one matter with its history and parts, the steps possible now, doing them, and opening new ones."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query
from pydantic import Field

from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import actions, answers, engine, formed, queries
from liangzhu.beams.work.matters.actions import COMMENT_MAX
from liangzhu.beams.work.matters.grammar import Field as Asked
from liangzhu.beams.work.matters.kinds import Kind, all_kinds
from liangzhu.beams.work.matters.lights import Light
from liangzhu.beams.work.matters.models import NEVER, Comment, Matter, Part
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.http import Id, Instant, Paging, Router, Schema, Text, below, matching, paged
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.refs import Ref

router = Router("matters", "事项")
MatterId = Annotated[Id, Field(description="事项标识")]
PartId = Annotated[Id, Field(description="并行办理标识")]
StepName = Annotated[Text, Field(max_length=60, description="步骤名称，见“可办步骤”", examples=["accept"])]
Version = Annotated[int, Field(ge=0, le=2**31 - 1)]


class LightOut(Schema):
    """A light (亮灯)."""

    state: str = Field(
        description="ok 正常，near 临期，over 超承诺，law 超法定，paused 中止计时，none 未起算，done 办结",
        examples=["near"],
    )
    title: str = Field(examples=["临期"])
    text: str = Field(description="还剩多久，或超了多久", examples=["剩 1 个工作日"])


class MatterOut(Schema):
    """A matter (事项)."""

    id: Id
    number: str = Field(description="编号", examples=["TS-2022-0007"])
    title: str = Field(description="标题", examples=["建设政务服务中心"])
    kind: str = Field(description="种类", examples=["plan_task"])
    kind_title: str = Field(examples=["任务"])
    state: str = Field(description="状态", examples=["working"])
    state_title: str = Field(examples=["办理中"])
    light: LightOut
    urgency: int = Field(description="缓急：0 平件，1 急件，2 特急", examples=[0])
    holding_unit_id: Id = Field(description="承办单位")
    holding_unit_title: str = Field(examples=["区教育局"])
    assignee_id: int | None = Field(description="承办岗位", examples=[12])
    place: str = Field(description="地点")
    opened_at: Instant
    closed_at: Instant | None
    due_at: Instant | None = Field(description="最近的到期时刻（不含）；没有时限在走时为空")
    promised_at: Instant | None = Field(description="承诺时限到期时刻（不含）")
    legal_at: Instant | None = Field(description="法定时限到期时刻（不含）")
    version: int = Field(description="版本，每办一步加一；也是响应头 ETag", examples=[3])


class FileOut(Schema):
    """A file (附件)."""

    id: Id
    name: str = Field(examples=["方案.pdf"])
    size: int = Field(description="字节", examples=[20480])
    media_type: str = Field(examples=["application/pdf"])


class FilledOut(Schema):
    """What was filled in at a step, in words."""

    label: str = Field(examples=["结果"])
    text: str = Field(examples=["已完成"])


class EntryOut(Schema):
    """One line of the history (办理经过)."""

    id: Id
    at: Instant
    actor: str = Field(description="谁", examples=["李四 · 科长"])
    unit_title: str = Field(description="当时的单位名称")
    transition: str = Field(description="步骤名称", examples=["accept"])
    title: str = Field(description="步骤", examples=["受理"])
    from_state: str
    from_state_title: str
    to_state: str
    to_state_title: str
    part_id: int | None = Field(description="属于哪项并行办理")
    note: str
    fields: list[FilledOut]
    files: list[FileOut]
    version: int


class ChoiceOut(Schema):
    """One of the values that a choice takes."""

    value: str
    title: str


class FieldOut(Schema):
    """What a step asks for."""

    name: str = Field(examples=["result"])
    title: str = Field(examples=["结果"])
    type: str = Field(
        description="text、longtext 文本，date 日期（2022-10-20），number 数，choice 选项，unit 单位标识，"
        "units 单位标识列表，post 岗位标识，files 附件标识列表",
        examples=["longtext"],
    )
    required: bool
    help: str
    max: int | None = Field(description="文本的字数或数的上限")
    choices: list[ChoiceOut]


class FormFieldOut(Schema):
    """One thing that a form asks."""

    name: str = Field(examples=["identity"])
    title: str = Field(examples=["公民身份号码"])
    type: str = Field(description="填写项的类型", examples=["person"])
    required: bool = Field(description="出现时是否必填")
    conditional: bool = Field(description="是否看前面的回答才出现；没有出现的不要填")
    asks: str = Field(description="要求，给人看", examples=["公民身份号码；必填；个人信息"])
    choices: list[ChoiceOut]
    columns: list[str] = Field(
        description="重复填写的一组的栏目，或地点的各部分（address、lon、lat、system）的名称"
    )


class FormOut(Schema):
    """The form that is filled in: its values go into ``data`` by their names."""

    key: str = Field(examples=["clinic_filing"])
    title: str = Field(examples=["诊所备案信息表"])
    release: int = Field(examples=[1])
    declaration: str = Field(description="承诺；不为空时 data 要带 form_declared: true")
    cosigners: list[str] = Field(description="必须共同签署的人；有就只能在页面上填写")
    fields: list[FormFieldOut]


class StepOut(Schema):
    """A step that may be done now (可办步骤)."""

    name: str = Field(examples=["accept"])
    title: str = Field(examples=["受理"])
    effect: str = Field(description="办了会怎样")
    blocked: str = Field(description="现在还不能办的原因；空为可以办")
    fields: list[FieldOut]
    form: FormOut | None = Field(description="随这一步填写的表单；没有为空")


class KindOut(Schema):
    """A kind of matter (事项种类), and what opening one asks."""

    key: str = Field(examples=["plan_extension"])
    title: str = Field(examples=["延期申请"])
    may_open: bool = Field(description="令牌代表的岗位能不能登记")
    elsewhere: str = Field(description="不能直接登记的种类在哪里登记；能的为空")
    titled: bool = Field(description="登记时是否要给标题")
    fields: list[FieldOut]
    form: FormOut | None = Field(description="登记时填写的表单；没有为空")


class PartOut(Schema):
    """Parallel work of a unit (并行办理)."""

    id: Id
    kind: str
    kind_title: str
    title: str
    unit_id: Id
    unit_title: str
    state: str
    state_title: str
    light: LightOut
    opened_at: Instant
    due_at: Instant | None
    done_at: Instant | None
    result: str
    version: int
    mine: bool = Field(description="是否等本单位办理")


class CommentOut(Schema):
    """A remark (批注)."""

    id: Id
    at: Instant
    actor: str
    text: str


Value = (
    Annotated[Text, Field(max_length=20_000)]
    | Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
    | float
    | bool
)

Name = Annotated[Text, Field(max_length=60)]
Group = dict[Name, Value | list[Value] | None]
Data = dict[Name, Value | list[Value] | Group | list[Group] | None]
"""What is filled in: plain values, lists of them, a place, and the rows of a table of a form."""


class StepIn(Schema):
    """What is filled in at a step."""

    version: Version | None = Field(
        None,
        description="看到的版本；与现在不符时不办理，返回 409，说明谁先办了什么。也可以用请求头 If-Match",
    )
    data: Data = Field(default_factory=dict, description="填写项：名称到值", examples=[{"result": "已完成"}])
    note: Annotated[Text, Field(max_length=2000)] = Field("", description="说明")
    files: list[Id] = Field(default_factory=list, max_length=50, description="先上传的附件标识")


class OpenIn(Schema):
    """A matter that is to be opened."""

    kind: Annotated[Text, Field(min_length=1, max_length=40)] = Field(
        description="种类，见“可登记的事项”", examples=["plan_extension"]
    )
    title: Annotated[Text, Field(max_length=200)] = Field("", description="标题；有的种类由系统拟定，不用给")
    data: Data = Field(
        default_factory=dict, description="填写项：名称到值", examples=[{"reason": "材料尚未收齐"}]
    )
    note: Annotated[Text, Field(max_length=2000)] = Field("", description="说明")
    files: list[Id] = Field(default_factory=list, max_length=50, description="先上传的附件标识")


class AssignIn(Schema):
    """To whom a matter, or a part of it, is given."""

    post_id: Id | None = Field(description="本单位的岗位；null 收回")
    version: Version | None = Field(None, description="看到的版本")
    part_id: Id | None = Field(None, description="只分派这项并行办理")


class CommentIn(Schema):
    """A remark."""

    text: Annotated[Text, Field(min_length=1, max_length=COMMENT_MAX, examples=["请补充附图"])]


class MatterFilter(Paging):
    """Which matters."""

    scope: Literal["mine", "unit", "helping", "all"] = Field(
        "mine", description="mine 我的，unit 本单位，helping 协办，all 全部可见"
    )
    kind: Annotated[Text, Field(max_length=40)] = Field("", description="种类")
    light: Literal["", "ok", "near", "over", "law", "paused", "none"] = Field("", description="亮灯")
    q: Annotated[Text, Field(max_length=100)] = Field("", description="标题或编号中的词，空格隔开")


def _light(light: Light) -> LightOut:
    return LightOut.model_construct(state=light.state, title=light.word, text=light.text)


def _matters(found: list[Matter]) -> list[MatterOut]:
    return [
        MatterOut.model_construct(
            id=row.matter.pk,
            number=row.matter.number,
            title=row.matter.title,
            kind=row.matter.kind,
            kind_title=row.kind,
            state=row.matter.state,
            state_title=row.state,
            light=_light(row.light),
            urgency=row.matter.urgency,
            holding_unit_id=row.matter.holding_unit_id,
            holding_unit_title=row.unit,
            assignee_id=row.matter.assignee_id,
            place=row.matter.place,
            opened_at=row.matter.opened_at,
            closed_at=row.matter.closed_at,
            due_at=None if row.matter.due_at == NEVER else row.matter.due_at,
            promised_at=row.matter.promised_at,
            legal_at=row.matter.legal_at,
            version=row.matter.version,
        )
        for row in queries.rows(found)
    ]


def _tagged(response: HttpResponse, matter: Matter) -> MatterOut:
    response.headers["ETag"] = f'"{matter.version}"'
    return _matters([matter])[0]


@router.read("/matters", policy="matters.work", answer=list[MatterOut], summary="事项列表")
def matters(request: HttpRequest, response: HttpResponse, wanted: Query[MatterFilter]) -> list[MatterOut]:
    """在办事项，按到期先后。下一页的地址在响应头 Link 里。"""
    found = queries.inbox(request.actor, wanted.scope, wanted.kind, wanted.light, wanted.q)
    return _matters(paged(request, response, found, queries.ORDER, wanted.limit))


@router.read("/kinds", policy="matters.open", answer=list[KindOut], summary="可登记的事项")
def kinds(request: HttpRequest) -> list[KindOut]:
    """事项的种类，令牌代表的岗位能不能登记，登记时填什么；不能直接登记的，说明在哪里登记。"""
    return [_kind(one, request.actor) for one in all_kinds().values()]


def _kind(kind: Kind, actor: Actor) -> KindOut:
    may = kind.opening is not None and get_policy(kind.opening.policy)(actor)
    fields, form, elsewhere = (), "", "" if kind.opening else kind.elsewhere
    try:
        if may:
            fields, form = queries.opening_fields(kind)
    except NotThere as missing:
        may, elsewhere = False, missing.detail
    return KindOut(
        key=kind.key,
        title=kind.title,
        may_open=may,
        elsewhere=elsewhere,
        titled=kind.opening is not None and kind.opening.titled,
        fields=_asked(fields, actor, None),
        form=_form(form, formed.kind_ref(kind.key)),
    )


@router.change("/matters", policy="matters.open", answer=MatterOut, summary="登记事项", status=201)
def open_new(request: HttpRequest, response: HttpResponse, body: Body[OpenIn]) -> MatterOut:
    """登记一件事项，返回它的现状；响应头 Location 是它的地址。请带上 Idempotency-Key，超时重发不会登记两件。"""
    with below("/data", beside=frozenset({"kind", "title", "files", "note"})):
        row = actions.open_new(
            request.actor,
            kind=body.kind,
            title=body.title,
            data=body.data,
            note=body.note,
            files=body.files,
        )
    response.headers["Location"] = f"{request.path}/{row.pk}"
    return _tagged(response, row)


@router.read("/matters/{matter_id}", policy="matters.work", answer=MatterOut, summary="一个事项")
def matter(request: HttpRequest, response: HttpResponse, matter_id: MatterId) -> MatterOut:
    """事项的现状；响应头 ETag 是它的版本。看不到的与不存在的一样，都是 404。"""
    return _tagged(response, queries.matter(request.actor, matter_id))


@router.read("/matters/{matter_id}/history", policy="matters.work", answer=list[EntryOut], summary="办理经过")
def history(request: HttpRequest, matter_id: MatterId) -> list[EntryOut]:
    """办理经过，由早到晚。"""
    of = queries.matter(request.actor, matter_id)
    return [
        EntryOut.model_construct(
            id=line.entry.pk,
            at=line.entry.at,
            actor=line.entry.actor_label,
            unit_title=line.unit,
            transition=line.entry.transition,
            title=line.entry.title,
            from_state=line.entry.from_state,
            from_state_title=line.from_title,
            to_state=line.entry.to_state,
            to_state_title=line.to_title,
            part_id=line.entry.part_id,
            note=line.entry.note,
            fields=[
                FilledOut(label=label, text=value.isoformat() if isinstance(value, date) else str(value))
                for label, value, _ in line.fields
            ],
            files=[_file(one) for one in line.files],
            version=line.entry.version,
        )
        for line in queries.history(request.actor, of)
    ]


def _file(row: attachments.Attachment) -> FileOut:
    return FileOut.model_construct(id=row.pk, name=row.name, size=row.size, media_type=row.media_type)


def _asked(fields: Iterable[Asked], actor: Actor, of: Matter | None) -> list[FieldOut]:
    return [
        FieldOut(
            name=field.name,
            title=field.label,
            type=field.type,
            required=field.required,
            help=field.help,
            max=field.max,
            choices=[
                ChoiceOut(value=str(value), title=label)
                for value, label in (answers.options(field, actor, of) if field.type == "choice" else ())
            ],
        )
        for field in fields
    ]


def _form(key: str, subject: Ref) -> FormOut | None:
    if not key:
        return None
    form = forms.edition(key, str(subject))
    return FormOut(
        key=form.key,
        title=form.title,
        release=form.release,
        declaration=form.declaration,
        cosigners=[one.title for one in form.cosigners if one.required],
        fields=[
            FormFieldOut(
                name=one.name,
                title=one.label,
                type=one.type,
                required=one.required,
                conditional=one.show_if is not None or step.show_if is not None,
                asks="；".join(forms.field_words(form, one)),
                choices=[ChoiceOut(value=value, title=label) for value, label in one.options],
                columns=[column.name for column in one.fields if column.takes]
                or (list(forms.PLACE_PARTS) if one.type == "place" else []),
            )
            for step, one in form.all_fields()
        ],
    )


def _steps(request: HttpRequest, of: Matter, part: Part | None = None) -> list[StepOut]:
    return [
        StepOut(
            name=option.name,
            title=option.title,
            effect=option.effect_text,
            blocked=option.blocked,
            fields=_asked(option.step.fields, request.actor, of),
            form=_form(option.step.form, of.ref),
        )
        for option in engine.transitions(of, request.actor, part)
    ]


@router.read("/matters/{matter_id}/steps", policy="matters.work", answer=list[StepOut], summary="可办步骤")
def steps(request: HttpRequest, matter_id: MatterId) -> list[StepOut]:
    """令牌代表的岗位现在可以办的步骤，和每步要填的内容。"""
    return _steps(request, queries.matter(request.actor, matter_id))


@router.change(
    "/matters/{matter_id}/steps/{name}",
    policy="matters.step",
    answer=MatterOut,
    summary="办理一步",
    versioned=True,
)
def step(
    request: HttpRequest, response: HttpResponse, matter_id: MatterId, name: StepName, body: Body[StepIn]
) -> MatterOut:
    """按流程办理一步，返回事项的新状态。建议带上 version（或 If-Match）和 Idempotency-Key。"""
    return _tagged(response, _do(request, matter_id, name, body))


def _do(request: HttpRequest, matter_id: int, name: str, body: StepIn, part_id: int | None = None) -> Matter:
    with below("/data", beside=frozenset({"files", "note"})), matching(request, body.version) as version:
        return actions.step(
            request.actor,
            matter_id=matter_id,
            transition=name,
            version=version,
            data=body.data,
            note=body.note,
            files=body.files,
            part_id=part_id,
        )


@router.change(
    "/matters/{matter_id}/assignment",
    policy="matters.assign",
    answer=MatterOut,
    summary="分派承办人",
    versioned=True,
)
def assign(
    request: HttpRequest, response: HttpResponse, matter_id: MatterId, body: Body[AssignIn]
) -> MatterOut:
    """把本单位承办的事项（或其中一项并行办理）分派给本单位的岗位，或收回。"""
    with matching(request, body.version) as version:
        row = actions.assign(
            request.actor, matter_id=matter_id, post_id=body.post_id, version=version, part_id=body.part_id
        )
    return _tagged(response, row)


# Parts ----------------------------------------------------------------------------------------------------


def _parts(request: HttpRequest, of: Matter) -> list[PartOut]:
    return [
        PartOut.model_construct(
            id=view.part.pk,
            kind=view.part.kind,
            kind_title=view.title,
            title=view.part.title,
            unit_id=view.part.unit_id,
            unit_title=view.unit,
            state=view.part.state,
            state_title=view.state,
            light=_light(view.light),
            opened_at=view.part.opened_at,
            due_at=view.part.due_at,
            done_at=view.part.done_at,
            result=view.part.result,
            version=view.part.version,
            mine=view.mine,
        )
        for view in queries.parts(request.actor, of)
    ]


@router.read("/matters/{matter_id}/parts", policy="matters.work", answer=list[PartOut], summary="并行办理")
def parts(request: HttpRequest, matter_id: MatterId) -> list[PartOut]:
    """事项内并行办理的各项（协办、会签、征求意见）。"""
    return _parts(request, queries.matter(request.actor, matter_id))


@router.read(
    "/matters/{matter_id}/parts/{part_id}/steps",
    policy="matters.work",
    answer=list[StepOut],
    summary="并行办理的可办步骤",
)
def part_steps(request: HttpRequest, matter_id: MatterId, part_id: PartId) -> list[StepOut]:
    """一项并行办理现在可以办的步骤。"""
    of = queries.matter(request.actor, matter_id)
    return _steps(request, of, queries.part(request.actor, of, part_id))


@router.change(
    "/matters/{matter_id}/parts/{part_id}/steps/{name}",
    policy="matters.step",
    answer=PartOut,
    summary="办理并行办理的一步",
    versioned=True,
)
def part_step(
    request: HttpRequest,
    response: HttpResponse,
    matter_id: MatterId,
    part_id: PartId,
    name: StepName,
    body: Body[StepIn],
) -> PartOut:
    """办理一项并行办理的一步，返回它的新状态；version 是这一项自己的版本。"""
    of = _do(request, matter_id, name, body, part_id)
    found = next(one for one in _parts(request, of) if one.id == part_id)
    response.headers["ETag"] = f'"{found.version}"'
    return found


# Remarks --------------------------------------------------------------------------------------------------


def _comment(row: Comment) -> CommentOut:
    return CommentOut.model_construct(id=row.pk, at=row.at, actor=row.actor_label, text=row.text)


@router.read("/matters/{matter_id}/comments", policy="matters.work", answer=list[CommentOut], summary="批注")
def comments(request: HttpRequest, matter_id: MatterId) -> list[CommentOut]:
    """事项的批注，由早到晚。"""
    of = queries.matter(request.actor, matter_id)
    return [_comment(row) for row in queries.comments(request.actor, of)]


@router.change(
    "/matters/{matter_id}/comments",
    policy="matters.comment",
    answer=CommentOut,
    summary="写批注",
    status=201,
)
def comment(request: HttpRequest, matter_id: MatterId, body: Body[CommentIn]) -> CommentOut:
    """写一条批注；承办人会收到提醒。"""
    return _comment(actions.comment(request.actor, matter_id=matter_id, text=body.text))
