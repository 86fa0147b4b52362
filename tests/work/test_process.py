"""A process that could strand a matter is refused, with file and line."""

import pytest

from liangzhu.beams.work.matters import process
from liangzhu.beams.work.matters.process import ProcessError, parse
from liangzhu.kernel import releases
from liangzhu.kernel.models import Release

from .conftest import DATED, SIMPLE

FILE = "some/processes/simple.toml"


def line_of(text: str, needle: str, after: str = "") -> int:
    """The line on which ``needle`` stands, after the first line that holds ``after``."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if after in line), 0)
    return next(n for n in range(start, len(lines)) if needle in lines[n]) + 1


def faults(text: str) -> str:
    with pytest.raises(ProcessError) as caught:
        parse(text, FILE)
    return caught.value.detail


def test_a_sound_process_is_read_with_its_states_clocks_and_parts():
    found = parse(SIMPLE, FILE)
    assert [state.name for state in found.flow.path()] == ["received", "working", "checking", "closed"]
    assert found.clocks["accept"].at_open and not found.clocks["term"].at_open
    assert found.parts["opinion"].due == ("workday", 5)
    assert found.flow.transitions["hold"].clocks.suspend == ("term", "law")


PLANTED = [
    # (name, what is replaced, by what, the line that is named: (needle, after), a word of the message)
    ("broken TOML", 'initial = "received"', 'initial = "received', ('initial = "received', ""), "TOML"),
    ("unknown key", 'title = "一般事项"', 'title = "一般事项"\ncolour = "red"', ("colour", ""), "colour"),
    ("unknown initial state", 'initial = "received"', 'initial = "nowhere"', ("initial", ""), "nowhere"),
    ("unknown target state", 'to = "working"\nwho = [{ party = "lead"', 'to = "elsewhere"\nwho = [{ party = "lead"', ('to = "elsewhere"', ""), "elsewhere"),
    ("state that nothing reaches", "[states.closed]", '[states.lost]\ntitle = "孤儿"\n\n[states.closed]', ("[states.lost]", ""), "到不了"),
    ("state with no step out", "[states.closed]", '[states.limbo]\ntitle = "悬置"\n\n[[transitions]]\nname = "shelve"\ntitle = "搁置"\neffect_text = "搁置"\nfrom = ["working"]\nto = "limbo"\nwho = [{ party = "lead" }]\n\n[states.closed]', ("[states.limbo]", ""), "没有任何人"),
    ("no end", 'order = 4\nfinal = true', "order = 4", ("[states.received]", ""), "没有终结状态"),
    ("step for nobody", 'who = [{ party = "office" }]', "who = []", ("who = []", ""), "没有人可以办"),
    ("unknown role", 'roles = ["matters.officer"] }, { role = "access.admin" }', 'roles = ["matters.wizard"] }, { role = "access.admin" }', ("matters.wizard", ""), "matters.wizard"),
    ("unknown party", 'who = [{ party = "office" }]', 'who = [{ party = "offcie" }]', ("offcie", ""), "offcie"),
    ("part outside parts", 'who = [{ party = "office" }]', 'who = [{ party = "part" }]', ('party = "part"', ""), "不属于并行办理"),
    ("unknown guard", '{ name = "parts_finished" }', '{ name = "parts_done" }', ("parts_done", ""), "parts_done"),
    ("unknown effect", '{ name = "add_parts",', '{ name = "ad_parts",', ("ad_parts", ""), "ad_parts"),
    ("effect without a parameter", ', part = "opinion", field = "helpers"', ', field = "helpers"', ("add_parts", ""), "缺少参数"),
    ("effect on an unknown field", 'part = "opinion", field = "helpers"', 'part = "opinion", field = "helprs"', ("helprs", ""), "helprs"),
    ("effect on an unknown part", 'part = "opinion", field = "helpers"', 'part = "opnion", field = "helpers"', ("opnion", ""), "opnion"),
    ("clock left running", 'clocks = { stop = ["*"] }', 'clocks = { stop = ["term"] }', ('name = "close"', ""), "'law'"),
    ("unknown clock", 'start = ["term", "law"]', 'start = ["term", "lwa"]', ("lwa", ""), "lwa"),
    ("clock without amount", 'amount = 10\n', "", ("[clocks.term]", ""), "amount"),
    ("unknown field type", 'type = "number"', 'type = "numbr"', ("numbr", ""), "numbr"),
    ("choice without options", 'type = "choice", options = [{ value = "good", label = "顺利" }, { value = "bad", label = "有困难" }]', 'type = "choice"', ("mood", ""), "options"),
    ("two steps of one name", 'name = "go_on"', 'name = "hold"', ('name = "hold"', "恢复"), "重名"),
    ("two-person rule on no step", 'not_same_person_as = ["report"]', 'not_same_person_as = ["reprot"]', ("reprot", ""), "reprot"),
    ("unreachable state of a part", "[parts.opinion.states.given]", '[parts.opinion.states.lost]\ntitle = "孤儿"\n\n[parts.opinion.states.given]', ("[parts.opinion.states.lost]", ""), "到不了"),
    ("a step called open", 'name = "accept"\ntitle', 'name = "open"\ntitle', ('name = "open"', ""), "留给"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "where", "word"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED]
)
def test_a_planted_fault_is_named_with_file_and_line(old, new, where, word):
    assert SIMPLE.count(old) >= 1
    text = SIMPLE.replace(old, new, 1)
    detail = faults(text)
    needle, after = where
    named = [line for line in detail.splitlines() if word in line]
    assert named, detail
    expected = [n + 1 for n, line in enumerate(text.splitlines()) if needle in line]
    assert any(line.startswith(f"{FILE}:{n}: ") for line in named for n in expected), detail


def test_a_path_that_turns_in_a_circle_is_refused():
    text = SIMPLE.replace('name = "close"\ntitle = "核查办结"', 'name = "close"\ntitle = "核查办结"').replace(
        'from = ["checking"]\nto = "closed"', 'from = ["received"]\nto = "closed"'
    )
    assert "走不到终结状态" in faults(text)


def test_every_fault_is_reported_not_only_the_first():
    text = SIMPLE.replace("matters.officer", "matters.wizard").replace(
        'name = "parts_finished"', 'name = "nope"'
    )
    assert len(faults(text).splitlines()) > 5


def test_without_declared_parties_any_party_may_be_named():
    text = SIMPLE.replace('[parties]\nlead = "承办单位"\noffice = "督办单位"\n', "")
    assert parse(text).parties == {}


def test_only_one_clock_takes_the_day_given_at_opening():
    text = DATED + '\n[clocks.second]\nkind = "legal"\ntitle = "另一期限"\nunit = "date"\n'
    assert "已占用登记时给出的日期" in faults(text)


@pytest.mark.django_db
def test_a_changed_file_becomes_a_draft_and_running_matters_keep_their_release(seed_process):
    seed_process(DATED)
    release, first = process.in_force("dated")
    changed = DATED.replace("限期事项", "限期办理事项")
    draft = releases.seed(process.RELEASE_KIND, "dated", changed, "dated.toml")
    assert draft.state == Release.DRAFT
    assert process.in_force("dated")[1].title == "限期事项"
    assert process.by_release_id(release.pk) == first
