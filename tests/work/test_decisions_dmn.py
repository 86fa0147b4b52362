"""Decision tables as DMN 1.4: what went out comes back the same; what cannot be held is refused by name."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from liangzhu.beams.work.decisions import checking
from liangzhu.beams.work.decisions.deciding import decide_by
from liangzhu.beams.work.decisions.dmn import DmnRefused, from_dmn, to_dmn

HERE = Path(__file__).parent / "rules"
FILES = sorted(HERE.glob("*.json"))


def plain(table):
    """A table without what only says where it stood."""
    return replace(
        table,
        rows=tuple(
            (row.name, row.when, row.then, row.basis, row.valid_from, row.valid_to, row.unconfirmed)
            for row in table.rows
        ),
        otherwise=table.otherwise and (table.otherwise.then, table.otherwise.basis),
        examples=tuple((one.given, one.on, one.gives, one.row) for one in table.examples),
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_table_comes_back_as_it_went(file):
    table = checking.parse(file.read_text(encoding="utf-8"), file.name)
    back = checking.parse(from_dmn(to_dmn(table)), "back.json")
    assert plain(back) == plain(table)


DISH = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="dish" name="Dish" namespace="http://camunda.org/schema/1.0/dmn">
  <decision id="feeClass" name="Fee">
    <decisionTable id="t" hitPolicy="FIRST">
      <input id="i1" label="Season"><inputExpression id="e1" typeRef="string"><text>season</text></inputExpression>
        <inputValues><text>"Winter","Summer"</text></inputValues></input>
      <input id="i2" label="Guests"><inputExpression id="e2" typeRef="integer"><text>guestCount</text></inputExpression></input>
      <output id="o1" label="Fee" name="fee" typeRef="integer" />
      <rule id="r1"><description>by the first article</description><inputEntry id="a"><text>not("Summer")</text></inputEntry>
        <inputEntry id="b"><text>[1..8)</text></inputEntry><outputEntry id="c"><text>5</text></outputEntry></rule>
      <rule id="r2"><description>else</description><inputEntry id="d"><text>-</text></inputEntry>
        <inputEntry id="e"><text>%s</text></inputEntry><outputEntry id="f"><text>9</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"""


def test_a_table_from_elsewhere_is_read_and_told_what_it_still_lacks():
    text = from_dmn(DISH % "")
    with pytest.raises(checking.located.DataFileError, match="examples"):
        checking.parse(text, "fee.json")
    shown = text.replace(
        '"examples": []',
        '"examples": [{"given": {"season": "Winter", "guest_count": 7}, "gives": {"fee": 5}},'
        ' {"given": {"season": "Winter", "guest_count": 8}, "gives": {"fee": 9}}]',
    )
    table = checking.parse(shown, "fee.json")
    found = decide_by(table, {"season": "Winter", "guest_count": 1}, date(2022, 1, 1))
    assert found.outputs == {"fee": 5} and found.basis == ("by the first article",)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (DISH % "guestCount * 2", "guestCount"),
        (DISH % "&gt; today()", "today"),
        (DISH.replace("<text>season</text>", "<text>season + 1</text>") % "-", "表达式"),
        (DISH.replace('typeRef="string"', 'typeRef="context"') % "-", "context"),
        (DISH.replace("FIRST", "LUCKY") % "-", "LUCKY"),
        (DISH.replace("decisionTable", "literalExpression") % "-", "literalExpression"),
        ("<definitions/>", "DMN"),
        ("<definitions", "XML"),
    ],
)
def test_what_cannot_be_held_is_refused_by_name(text, word):
    with pytest.raises(DmnRefused, match=word):
        from_dmn(text)


def test_no_entity_of_a_file_is_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    bomb = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>' + (DISH % '"&x;"').split("?>", 1)[1]
    with pytest.raises(DmnRefused, match="DTD"):
        from_dmn(bomb)
