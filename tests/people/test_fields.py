"""Form fields that take units and persons by name."""

from datetime import date

import pytest
from django import forms

from liangzhu.beams.people.directory import actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM


class Pick(forms.Form):
    unit = directory.UnitField(required=False)
    units = directory.UnitsField(required=False)
    person = directory.PersonField(required=False)


def test_a_unit_may_be_written_in_every_way_people_write_it(bureau):
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教体局", on=date(2021, 1, 1), source="某发1号")
    for text in ("某区教体局", " 某区 教体局 ", "100001", "某区教育局", bureau.key):
        form = Pick({"unit": text})
        assert form.is_valid() and form.cleaned_data["unit"].id == bureau.pk, text
    assert Pick({"unit": ""}).is_valid()


@pytest.mark.parametrize(
    ("field", "text", "word"),
    [
        ("unit", "某区无此局", "没有叫"),
        ("units", "某区教育局\n某区无此局", "第 2 行"),
        ("person", "没有这人", "没有登记过"),
    ],
)
def test_an_unknown_name_stays_in_the_form_with_what_to_do(bureau, field, text, word):
    form = Pick({field: text})
    assert not form.is_valid() and word in form.errors[field][0]
    assert text.split("\n")[-1] in str(form[field])


def test_the_list_offers_units_and_tells_two_of_one_name_apart(government, bureau, make_unit):
    make_unit("服务中心", bureau, code="1001")
    make_unit("服务中心", government)
    page = str(Pick()["unit"])
    assert 'list="id_unit-list"' in page and '<datalist id="id_unit-list">' in page
    assert 'value="某区教育局"' in page and 'value="服务中心（1001）"' in page


def test_names_from_the_list_are_escaped(make_unit):
    make_unit('"><script>alert(1)</script>')
    assert "<script>" not in str(Pick()["unit"])
