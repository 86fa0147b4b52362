"""Sources and a kind of subject that the forms of the tests name."""

from liangzhu.beams.work.forms import api as forms
from liangzhu.kernel.refs import Ref, register_ref

state = {"police": "answers"}
"""How the police register behaves: answers, silent, broken, empty."""
release = None
"""An event that a silent register waits for; set by the test."""


@forms.source("test.desk", "工作台", parts={"unit": "text", "name": "text"})
def desk(actor, subject):
    """What the workbench knows of who is signed in."""
    return {"unit": "甲局", "name": actor.label.split(" · ")[0]}


@forms.source("test.police", "人口库", parts={"identity": "person", "born": "date"}, remote=True, seconds=0.2)
def police(actor, subject):
    """A neighbour's register."""
    if state["police"] == "silent":
        release.wait(5)
    if state["police"] == "broken":
        raise ConnectionError("no route to 人口库")
    if state["police"] == "empty":
        raise forms.NoAnswer("没有这个人的记录。")
    return {"identity": "11010519491231002X"}


forms.subject_kind(
    "toy_case",
    may_fill=lambda actor, subject, key, part: subject.id != "closed",
    may_read=lambda actor, subject: "reader" in actor.label or subject.id == "7",
)
register_ref("toy_case", "示例案件", lambda ids, actor: {one: (f"示例案件 {one}", "") for one in ids})

CASE = Ref("toy_case", "7")
