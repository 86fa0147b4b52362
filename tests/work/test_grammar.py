"""What a process says about time, conditions and children is checked when it is read, with file and line."""

import pytest

from liangzhu.beams.work.matters import bpmn, process
from liangzhu.beams.work.matters.process import ProcessError, parse

from .eight import FILES

FILE = "some/processes/x.toml"

PLANTED = [
    # (kind, name, what is replaced, by what, the text on the line that is named, a word of the message)
    ("licence", "timer on no clock", 'at_end_of = "notice"', 'at_end_of = "notcie"', "notcie", "没有定义的时限"),
    ("licence", "timer with no step", 'do = "deem_accepted"', 'do = "deem"', 'do = "deem"', "没有定义的步骤"),
    ("licence", "timer in no state", 'in = ["correcting"]', 'in = ["corrected"]', "corrected", "不是 'corrected'"),
    ("licence", "timer in an end", 'in = ["correcting"]', 'in = ["returned"]', "returned", "不是 'returned'"),
    ("licence", "timer with two anchors", 'at_end_of = "notice"', 'at_end_of = "notice"\nat_warn_of = "notice"', "[[timers]]", "之一"),
    ("licence", "timer that does and tells", 'do = "deem_accepted"', 'do = "deem_accepted"\nnotify = [{ party = "organ" }]', "[[timers]]", "notify"),
    ("licence", "after without in", 'after = { workdays = 30 }\nin = ["correcting"]', "after = { workdays = 30 }", "[[timers]]", "after 要和 in"),
    ("licence", "after of nothing", "after = { workdays = 30 }", "after = { workdays = 0 }", "after = {", "{workdays=1}"),
    ("licence", "step that no timer does", 'do = "lapse"', 'notify = [{ party = "organ" }]', 'name = "lapse"', "没有定时或触发"),
    ("licence", "timer's step is a person's", 'who = [{ system = true }]\nclocks = { stop = ["notice"]', 'who = [{ party = "organ" }]\nclocks = { stop = ["notice"]', 'do = "deem_accepted"', "没有 { system = true }"),
    ("licence", "timer's step asks for something", 'from = ["correcting"]\nto = "returned"\nwho = [{ system = true }]', 'from = ["correcting"]\nto = "returned"\nwho = [{ system = true }]\nfields = [{ name = "why", label = "理由", required = true }]', 'do = "lapse"', "没有人填"),
    ("licence", "timer's step has a guard", 'from = ["correcting"]\nto = "returned"\nwho = [{ system = true }]', 'from = ["correcting"]\nto = "returned"\nwho = [{ system = true }]\nguards = [{ name = "at_most" }]', 'do = "lapse"', "不能带条件"),
    ("licence", "timer where its step is not possible", 'fields = [{ name = "missing", label = "需补正的全部内容", type = "longtext", required = true }]\nclocks = { stop = ["notice"] }', 'fields = [{ name = "missing", label = "需补正的全部内容", type = "longtext", required = true }]', 'do = "deem_accepted"', "待补正"),
    ("licence", "timer that leaves its clock running", 'clocks = { stop = ["notice"], start = ["promise", "law"], since', 'clocks = { start = ["promise", "law"], since', 'do = "deem_accepted"', "应结束（stop）"),
    ("licence", "counting from no clock", 'since = { clock = "notice" }', 'since = { clock = "notcie" }', "notcie", "没有定义的时限"),
    ("licence", "counting from no field", 'start = ["notice"], since = { field = "received_on" }', 'start = ["notice"], since = { field = "given_on" }', "given_on", "没有定义的必填日期字段"),
    ("licence", "counting from something else", 'since = { clock = "notice" }', 'since = { moon = "full" }', "moon", "since 应写成"),
    ("licence", "counting of nothing", 'clocks = { stop = ["promise", "law"], start = ["deliver"] }', 'clocks = { stop = ["promise", "law"], since = { opened = true } }', "since = { opened", "没有 start"),
    ("licence", "announced without an app", 'announce = "licence.granted"', 'announce = "granted"', 'announce = "granted"', "app.name"),
    ("licence", "a form that nobody keeps", 'announce = "licence.granted"', 'form = "licence"', 'form = "licence"', "没有名为 'licence' 的表单"),
    ("licence", "failed state that is no end", 'title = "待补正"', 'title = "待补正"\nfailed = true', "failed = true", "不写 failed"),
    ("licence", "guard on an unknown clock", '{ name = "in_time", clock = "law" }', '{ name = "in_time", clock = "lwa" }', "lwa", "没有定义"),
    ("hotline", "guard on an unknown step", 'steps = ["assign_finally"]', 'steps = ["assign_finaly"]', "assign_finaly", "没有定义"),
    ("hotline", "length of an unknown field", 'amount = { field = "class"', 'amount = { field = "clas"', "clas", "没有填过这个字段"),
    ("hotline", "length that misses a value", ", help = 5, complaint = 5", ", help = 5", "amount = {", "缺 complaint"),
    ("hotline", "length by an unknown rule", 'amount = { field = "class", by = { urgent = { hours = 2 }, consult = 2, help = 5, complaint = 5 } }', 'amount = { rule = "hotline.time" }', "hotline.time", "没有登记"),
    ("hotline", "length of an empty measure", "urgent = { hours = 2 }", "urgent = { moons = 2 }", "moons", "{workdays=1}"),
    ("hotline", "time of no party", 'of = "centre"', 'of = "center"', "center", "没有声明的参与方"),
    ("hotline", "telling no party", 'notify = [{ party = "centre" }]', 'notify = [{ party = "center" }]', "center", "没有声明的参与方"),
    ("joint_review", "asking no party", '"technique", "money"]', '"technique", "mony"]', "mony", "没有定义"),
    ("joint_review", "votes of no state", 'states = ["agreed"]', 'states = ["agree"]', 'states = ["agree"]', "没有定义"),
    ("joint_review", "an unknown condition", 'name = "parts_finished", part = "opinion"', 'name = "parts_done", part = "opinion"', "parts_done", "触发条件"),
    ("joint_review", "a condition on an unknown part", 'name = "parts_finished", part = "opinion"', 'name = "parts_finished", part = "opinoin"', "opinoin", "没有定义"),
    ("joint_review", "a trigger of a person's step", 'from = ["reviewing"]\nto = "collected"\nwho = [{ system = true }]', 'from = ["reviewing"]\nto = "collected"\nwho = [{ party = "lead" }]', 'do = "collect"', "没有 { system = true }"),
    ("joint_review", "a state that only an absent trigger leaves", '[[triggers]]\non = { name = "parts_finished", part = "opinion" }\ndo = "collect"', "", "[states.reviewing]", "没有任何人"),
    ("joint_review", "a guard of whole matters in a part", 'from = ["asked"]\nto = "agreed"\n', 'from = ["asked"]\nto = "agreed"\nguards = [{ name = "at_most" }]\n', "at_most", "只用于事项本身"),
    ("bundle", "children that wait for each other", 'parties = { organ = "market", window = "window" }', 'parties = { organ = "market" }\nneeds = ["rays"]', 'needs = ["rays"]', "绕回到它自己"),
    ("bundle", "a child that needs nobody", 'needs = ["clinic"]', 'needs = ["clinci"]', "clinci", "没有定义"),
    ("bundle", "a child of nobody", 'parties = { organ = "fire", window = "window" }', "parties = {}", "parties = {}", "没有写明由谁办理"),
    ("bundle", "a child of an unknown party", 'organ = "fire"', 'organ = "fier"', "fier", "没有声明的参与方"),
    ("bundle", "a child of its own kind", 'kind = "bundle_case"\nparties = { organ = "market"', 'kind = "bundle"\nparties = { organ = "market"', 'kind = "bundle"', "不能和本事项同种类"),
    ("bundle", "children that nothing opens", 'effects = [{ name = "open_children" }]', "effects = []", "[children.shop]", "没有步骤用 open_children"),
    ("bundle_case", "triggers that turn in a circle", '[[triggers]]\non = "parent_ended"', '[[triggers]]\non = "prerequisite_failed"\ndo = "back"\n\n[[transitions]]\nname = "back"\ntitle = "退"\neffect_text = "退"\nfrom = ["working"]\nto = "waiting"\nwho = [{ system = true }]\nclocks = { stop = ["law"] }\n\n[[triggers]]\non = "parent_ended"', 'do = "back"', "没有尽头"),
]  # fmt: skip


def faults(text: str) -> list[str]:
    with pytest.raises(ProcessError) as caught:
        parse(text, FILE)
    return caught.value.detail.splitlines()


@pytest.mark.django_db  # which forms there are stands in the database
@pytest.mark.parametrize(
    ("kind", "old", "new", "needle", "word"), [(p[0], *p[2:]) for p in PLANTED], ids=[p[1] for p in PLANTED]
)
def test_a_planted_fault_is_named_with_file_and_line(kind, old, new, needle, word):
    text = FILES[kind].read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    named = [line for line in faults(text) if word in line]
    lines = [n for n, line in enumerate(text.splitlines(), 1) if needle in line]
    assert any(line.startswith(f"{FILE}:{n}: ") for line in named for n in lines), faults(text)


@pytest.mark.parametrize("kind", FILES)
def test_the_eight_kinds_are_sound(kind):
    found = parse(FILES[kind].read_text(encoding="utf-8"), FILE)
    assert found.key == kind
    assert any(state.final for state in found.flow.states.values())


@pytest.mark.parametrize("kind", FILES)
def test_the_eight_kinds_come_back_from_bpmn_as_they_were(kind):
    text = FILES[kind].read_text(encoding="utf-8")
    assert parse(bpmn.read(bpmn.export(text))) == parse(text)


def test_what_a_process_says_of_time_is_read():
    found = parse(FILES["licence"].read_text(encoding="utf-8"))
    silence, late = found.timers["silence"], found.timers["no_correction"]
    assert (silence.clock, silence.step) == ("notice", "deem_accepted")
    assert (late.after, late.states) == (("workday", 30), ("correcting",))
    deemed = found.flow.transitions["deem_accepted"].clocks
    assert deemed.since == process.Since("clock", "notice") and deemed.start == ("promise", "law")
    assert found.opening_since == process.Since("field", "received_on")
    hotline = parse(FILES["hotline"].read_text(encoding="utf-8"))
    assert hotline.clocks["reply"].amounts.by["urgent"] == ("hour", 2)
    assert hotline.clocks["reply"].amounts.by["help"] == ("workday", 5)
