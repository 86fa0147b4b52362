"""A place on a form: words and coordinates, kept in CGCS2000 whatever map they came from."""

import json

import pytest
from django.urls import reverse

from liangzhu.beams.work.forms import actions, grammar, specs, values
from liangzhu.beams.work.forms.grammar import Field
from liangzhu.beams.work.forms.models import Draft, Snapshot
from liangzhu.kernel import places, releases
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.pack import pack

PLACE = {"name": "spot", "type": "place", "label": "地点", "required": True, "exact": True}
HOME = {"name": "home", "type": "place", "label": "住处", "grade": 3}
FORM = {
    "key": "pothole",
    "title": "井盖缺失",
    "steps": [
        {"name": "where", "title": "在哪里", "fields": [PLACE, HOME]},
        {"name": "what", "title": "怎么了", "fields": [{"name": "text", "type": "text", "label": "情况"}]},
    ],
}
SPOT = Field("spot", "place", "地点", required=True, exact=True)
HERE = {"address": "朐阳街道某某路 1 号", "lon": "119.165123", "lat": "34.596401", "system": "wgs84"}


@pytest.fixture
def wang(district, sign_in):
    specs.forget()
    releases.seed("form", "pothole", json.dumps(FORM, ensure_ascii=False), "pothole.json")
    yield sign_in("甲局", "王示例")
    specs.forget()


def test_what_other_maps_show_is_converted_and_kept_beside():
    lon, lat = places.from_wgs84(119.165123, 34.596401, "gcj02")
    kept = values.read(SPOT, HERE | {"lon": f"{lon:.7f}", "lat": f"{lat:.7f}", "system": "gcj02"})
    assert (kept["lon"], kept["lat"], kept["system"]) == ("119.165123", "34.596401", "gcj02")
    assert kept["shown"] == {"lon": f"{lon:.7f}", "lat": f"{lat:.7f}"}
    assert "由 GCJ-02 换算" in values.words(SPOT, kept) and "119.165123" in values.words(SPOT, kept)
    assert values.read(SPOT, HERE) == HERE
    assert values.read(SPOT, HERE | {"lon": " １１９.１６５１２３° "})["lon"] == "119.165123"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"system": ""}, "请选择坐标系"),
        ({"system": "mars"}, "请选择坐标系"),
        ({"lat": ""}, "经度和纬度要一起填"),
        ({"lon": "34.596401", "lat": "119.165123"}, "写反了"),
        ({"lon": "2.35", "lat": "48.85"}, "经度应在 73—136 之间"),
        ({"lon": "119度9分"}, "小数的度"),
        ({"lon": "nan"}, "小数的度"),
        ({"lon": ["119"]}, "无法识别"),
        ({"height": "3"}, "地址、经度、纬度、坐标系"),
    ],
)
def test_coordinates_that_mean_nothing_are_refused_by_name(given, said):
    with pytest.raises(ValueError, match=said):
        values.read(SPOT, HERE | given)


def test_a_place_without_coordinates_is_one_unless_they_are_asked_for():
    words_only = values.read(SPOT, {"address": "某某桥下"})
    assert words_only == {"address": "某某桥下"}
    assert values.fault(SPOT, words_only) == "请填写地点的经度和纬度。"
    assert values.fault(Field("spot", "place", "地点"), words_only) == ""
    assert values.read(SPOT, {"address": " ", "system": "bd09"}) is None
    assert values.fault(SPOT, None) == "请填写地点。"
    assert "最多 200" in values.fault(SPOT, HERE | {"address": "长" * 201})


def test_outside_of_the_district_is_a_warning_and_only_where_the_pack_has_a_box(monkeypatch):
    away = HERE | {"lon": "116.397", "lat": "39.908"}
    assert values.doubt(SPOT, HERE) == "" and "范围" in values.doubt(SPOT, away)
    assert values.fault(SPOT, away) == ""
    monkeypatch.delitem(pack().district, "bounds")
    assert values.doubt(SPOT, away) == ""


def test_it_stands_in_no_table_and_takes_no_bounds_of_length():
    def check(**field):
        grammar.parse(json.dumps(FORM | {"steps": [{"name": "a", "title": "甲", "fields": [field]}]}))

    check(**PLACE)
    with pytest.raises(DataFileError, match="most"):
        check(**PLACE, most=3)
    with pytest.raises(DataFileError, match="place"):
        check(name="t", type="table", label="表", fields=[PLACE])


def test_it_is_typed_without_script_kept_as_typed_and_shown_in_summary_and_snapshot(wang, sign_in):
    client, actor = wang
    row = actions.begin(actor, key="pothole")
    address = reverse("forms:step", args=[row.pk, "where"])
    typed = {
        "has": ["spot", "home"],
        "version": row.version,
        "spot-address": "某某路口",
        "spot-lon": "116.404",
        "spot-lat": "39.9x",
        "spot-system": "bd09",
        "home-address": "海州区朐阳街道某某路 9 号",
        "home-lon": "119.1",
        "home-lat": "34.6",
        "home-system": "wgs84",
    }
    page = client.post(address, typed | {"go": "next"}, follow=True).content.decode()
    assert "小数的度" in page and 'href="#id_spot_0"' in page
    assert 'value="39.9x"' in page and '<option value="bd09" selected' in page
    check = client.get(reverse("forms:check", args=[row.pk])).content.decode()
    assert "某某路口，116.404，39.9x（无法识别）" in check and "#id_spot_0" in check
    row.refresh_from_db()
    typed |= {"version": row.version, "spot-lat": "39.915", "go": "next"}
    page = client.post(address, typed, follow=True).content.decode()
    assert "不在海州区范围内" in page and "第 2 步" in page
    page = client.get(address).content.decode()
    assert 'value="116.404"' in page and "不在海州区范围内" in page
    check = client.get(reverse("forms:check", args=[row.pk])).content.decode()
    assert "由 BD-09 换算" in check and "不在海州区范围内" in check and "还不能提交" not in check
    row.refresh_from_db()
    actions.send(actor, draft_id=row.pk, version=row.version)
    snapshot = Snapshot.objects.get()
    kept = snapshot.content["answers"]["spot"]
    lon, lat = places.to_wgs84(116.404, 39.915, "bd09")
    assert (kept["lon"], kept["lat"]) == (f"{lon:.6f}", f"{lat:.6f}")
    mine = client.get(reverse("forms:sent", args=[snapshot.pk])).content.decode()
    assert "由 BD-09 换算" in mine and "某某路 9 号" in mine and "119.100000" in mine
    form = specs.by_release_id(snapshot.release_id)
    masked = values.words(form.field("home"), snapshot.content["answers"]["home"], masked=True)
    assert masked == "海州区朐阳街道***；坐标已遮盖"
    assert "某某路口" in values.words(form.field("spot"), kept, masked=True)
    assert not Draft.objects.exists()


def test_a_program_sends_it_as_an_object(wang):
    _, actor = wang
    with pytest.raises(Invalid) as caught:
        actions.send_answers(actor, key="pothole", subject="", answers={"spot": {"lon": 119.1}})
    assert caught.value.fields == {"spot": "经度和纬度要一起填，或者都不填。"}
    given = {"spot": {"address": "路口", "lon": 119.165123, "lat": 34.596401, "system": "wgs84"}}
    snapshot = actions.send_answers(actor, key="pothole", subject="", answers=given)
    assert snapshot.content["answers"]["spot"]["lon"] == "119.165123"
