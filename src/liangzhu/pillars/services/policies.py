"""Who may do what in services."""

from liangzhu.beams.people.directory.api import declare_role, does_business
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import behalf, ratings
from liangzhu.pillars.services.models import Application, Material

EDITOR, REVIEWER, KEEPER = "services.editor", "services.reviewer", "services.keeper"
declare_role(EDITOR, "事项管理员", "维护本单位的事项实施清单，起草新版本，向上反映问题")
declare_role(REVIEWER, "事项审核人", "审核发布实施清单，签署豁免；起草人不能审核自己起草的")
declare_role(KEEPER, "事项库管理员", "维护全区各单位的实施清单，导入导出，登记上级答复")


@policy("services.read_items", "查看事项库")
def read_items(actor: Actor, target=None) -> bool:
    """All staff but those who only keep the system or its log, drafts included: items are public once they are in force."""
    return actor.is_system or (actor.signed_in and does_business(actor))


@policy("services.edit_items", "维护本单位的事项")
def edit_items(actor: Actor, target=None) -> bool:
    """The editor (事项管理员) for the items of the own unit, the keeper (事项库管理员) for all. ``target`` has ``unit_id``."""
    if actor.has(KEEPER):
        return True
    return actor.has(EDITOR) and (target is None or target.unit_id == getattr(actor, "unit_id", None))


@policy("services.review_items", "审核发布事项、签署豁免")
def review_items(actor: Actor, target=None) -> bool:
    """The reviewer (事项审核人). That it is a second person is checked in the action."""
    return actor.has(REVIEWER)


@policy("services.tend_items", "维护或审核事项")
def tend_items(actor: Actor, target=None) -> bool:
    """Whoever has to do with exemptions and questions upwards."""
    return edit_items(actor) or review_items(actor)


@policy("services.keep_items", "管理全区事项库")
def keep_items(actor: Actor, target=None) -> bool:
    """The keeper of the whole catalogue: imports, answers of the upper level."""
    return actor.has(KEEPER)


@policy("services.keep_time", "按日期生效和终止")
def keep_time(actor: Actor, target=None) -> bool:
    """The program itself."""
    return actor.is_system


@policy("services.apply", "申办事项")
def apply(actor: Actor, target=None) -> bool:
    """Residents, for whom they act for now; window staff, for whoever is being served (`behalf.applying` says who that is)."""
    return isinstance(actor, Resident) or behalf.at_counter(actor)


@policy("services.own_application", "查看和办理自己的申办")
def own_application(actor: Actor, target: Application | None = None) -> bool:
    """Whom it concerns, or who acts for them under a mandate that reaches this kind of business or this application.

    A clerk while that very person is being served at his window, for what was applied for at a window.
    """
    if not isinstance(actor, Resident):
        return behalf.reaches(actor, target) if target else behalf.serving(actor) is not None
    return target is None or (
        actor.concerns(target.applicant) and actor.may(kind=target.bundle, case=str(target.ref))
    )


@policy("services.collect", "在窗口把结果交给领取的人")
def collect(actor: Actor, target: Application | None = None) -> bool:
    """A clerk, for whoever is being served; ``target`` is an Application of his, or of whom he came for, online or not."""
    served = behalf.serving(actor)
    if served is None or target is None:
        return served is not None
    return behalf.stands_for(actor, target.applicant) and not behalf.trouble(
        served, registers.Scope(kind=target.bundle, case=str(target.ref))
    )


@policy("services.verify_material", "核验材料")
def verify_material(actor: Actor, target: Material | None = None) -> bool:
    """Officers and heads of a department that decides one of the cases which need it."""
    if not (actor.signed_in and does_business(actor) and actor.has("matters.officer", "matters.head")):
        return False
    return target is None or target.cases.filter(unit_id=getattr(actor, "unit_id", None)).exists()


@policy("services.post_results", "邮寄办理结果")
def post_results(actor: Actor, target: Application | None = None) -> bool:
    """Officers of the unit that hands out, while it is handed out, where the applicant wants it by post."""
    if not (actor.signed_in and does_business(actor) and actor.has("matters.officer", "matters.head")):
        return False
    return target is None or (
        target.delivery == target.POST
        and target.matter is not None
        and target.matter.state == "handing_out"
        and target.matter.holding_unit_id == getattr(actor, "unit_id", None)
    )


# Policies for enterprises ---------------------------------------------------------------------------------------------

INCENTIVE_EDITOR, INCENTIVE_REVIEWER = "services.incentive_editor", "services.incentive_reviewer"
declare_role(
    INCENTIVE_EDITOR, "惠企政策管理员", "归集政策文件，把条件和支持内容写成结构化的政策，提出免申即享名单"
)
declare_role(INCENTIVE_REVIEWER, "惠企政策审核人", "审核发布惠企政策，复核免申即享名单；不能审核自己提出的")


@policy("services.read_incentives", "查看惠企政策的工作台")
def read_incentives(actor: Actor, target=None) -> bool:
    """All staff who do business: documents, drafts, figures. No enterprise's values stand on these pages."""
    return actor.is_system or (actor.signed_in and does_business(actor))


@policy("services.edit_incentives", "归集和维护本单位的惠企政策")
def edit_incentives(actor: Actor, target=None) -> bool:
    """The editor, for what the own unit collects or pays. ``target`` has ``unit_id``."""
    return actor.has(INCENTIVE_EDITOR) and (
        target is None or target.unit_id == getattr(actor, "unit_id", None)
    )


@policy("services.import_policies", "导入政策文件")
def import_policies(actor: Actor, target=None) -> bool:
    """The editor, for the own unit; the command line. ``target`` has ``unit_id``."""
    return actor.is_system or edit_incentives(actor, target)


@policy("services.review_incentives", "审核发布惠企政策")
def review_incentives(actor: Actor, target=None) -> bool:
    """The reviewer of the unit. That it is a second person is checked in the action."""
    return actor.has(INCENTIVE_REVIEWER) and (
        target is None or target.unit_id == getattr(actor, "unit_id", None)
    )


@policy("services.see_payout", "查看免申即享名单和依据")
def see_payout(actor: Actor, target=None) -> bool:
    """Editor and reviewer of the unit that pays. ``target`` has ``unit_id``."""
    return edit_incentives(actor, target) or review_incentives(actor, target)


@policy("services.own_enterprise", "办理本企业的惠企政策")
def own_enterprise(actor: Actor, target=None) -> bool:
    """Who acts for an organisation in the portal, for that one. ``target`` is its Ref."""
    if target is None or not isinstance(actor, Resident):
        return isinstance(actor, Resident)
    return actor.organisation is not None and actor.concerns(target) and actor.may(kind="incentive")


# Halls ----------------------------------------------------------------------------------------------------------------


@policy("services.counter", "在窗口叫号办理")
def counter(actor: Actor, target=None) -> bool:
    """Window staff; ``target`` is a Ticket that they called, or one that nobody called yet."""
    if not behalf.at_counter(actor):
        return False
    return target is None or target.clerk in ("", str(actor.ref))


@policy("services.take_ticket", "取号")
def take_ticket(actor: Actor, target=None) -> bool:
    """The machine of a hall, for its own hall (``target`` is the hall's key), and window staff."""
    if actor.ref.kind == "hall_kiosk":
        return target is None or actor.ref.id == target
    return counter(actor)


@policy("services.book", "预约到大厅办事")
def book(actor: Actor, target=None) -> bool:
    """A resident; ``target`` is an Appointment for whom he acts for, or one that he himself will keep."""
    if not isinstance(actor, Resident):
        return False
    if target is None:
        return True
    mine = Ref("natural_person", str(target.person_id))
    return actor.concerns(target.holder) or (not actor.for_another and actor.concerns(mine))


@policy("services.read_halls", "查看大厅运行情况")
def read_halls(actor: Actor, target=None) -> bool:
    """All staff who do business, and the program itself: numbers only."""
    return actor.is_system or (actor.signed_in and does_business(actor))


# Ratings --------------------------------------------------------------------------------------------------------------


@policy("services.give_rating", "评价所办的事")
def give_rating(actor: Actor, target=None) -> bool:
    """Of whom it was asked, or anybody with the code of that rating. ``target`` is (rating, code)."""
    if target is None:
        return True
    row, code = target
    if code and ratings.opens(row, code):
        return True
    return isinstance(actor, Resident) and bool(row.rater) and actor.concerns(row.rater)


@policy("services.read_ratings", "查看好差评情况")
def read_ratings(actor: Actor, target=None) -> bool:
    """All staff who do business: figures, and which bad ones are open; what people wrote stands in the matter."""
    return actor.is_system or (actor.signed_in and does_business(actor))


# Figures --------------------------------------------------------------------------------------------------------------

_overlookers: set[str] = {KEEPER}


def let_see_figures(*roles: str) -> None:
    """Give roles of other parts (a leader's) the figures of the whole district; `site` calls it."""
    _overlookers.update(roles)


def sees_all_figures(actor: Actor) -> bool:
    """Whether the actor sees the figures of every unit."""
    return actor.is_system or actor.has(*_overlookers)


@policy("services.read_figures", "查看政务服务运行指标")
def read_figures(actor: Actor, target=None) -> bool:
    """Leaders for the district; heads of departments, editors and reviewers of items for their own unit."""
    return sees_all_figures(actor) or (actor.signed_in and actor.has("matters.head", EDITOR, REVIEWER))
