"""The calendar page: which days count, and changing one."""

from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.work.matters import queries
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.models import DayOverride
from liangzhu.kernel.worker import drain

PAGE = "/work/calendar/"


@pytest.fixture
def admin(sign_in, settings):
    """An administrator, in a demonstration."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    return sign_in("督办室", "管理员", "access.admin")[0]


def test_a_year_shows_every_day_once_with_what_is_notable(sign_in):
    client, li = sign_in("甲局", "李四")
    year = queries.calendar_year(li, 2022)
    days = [day for month in year.months for week in month for day in week if day is not None]
    assert [day.date.toordinal() for day in days] == list(
        range(date(2022, 1, 1).toordinal(), date(2023, 1, 1).toordinal())
    )
    assert year.workdays == 249 and not year.provisional
    page = client.get(f"{PAGE}?year=2022").content.decode()
    assert page.count('class="day') == 365 + 5  # and five in the key
    assert "249 个工作日" in page and "国庆节调休上班" in page and "调整一天" not in page


def test_a_year_whose_holidays_are_not_published_says_so(sign_in):
    client, li = sign_in("甲局", "李四")
    assert queries.calendar_year(li, 2060).provisional
    assert "暂定" in client.get(f"{PAGE}?year=2060").content.decode()
    with pytest.raises(NotThere):
        queries.calendar_year(li, 99999)
    assert client.get(f"{PAGE}?year=99999").status_code == 404


def test_an_administrator_makes_a_day_count_otherwise_and_restores_it(simple, advance, sign_in, admin):
    _, li = sign_in("甲局", "李四")
    matter = advance(li, simple(li), "accept")
    before = matter.promised_at
    sent = {"day": "2022年10月27日", "workday": "off", "reason": "停电检修", "source": "公告第 3 号"}
    assert admin.post(PAGE, sent).status_code == 302
    drain()
    matter.refresh_from_db()
    assert matter.promised_at > before
    assert "停电检修" in admin.get(f"{PAGE}?year=2022").content.decode()
    assert admin.post(reverse("matters:restore_day"), {"day": "2022-10-27"}).status_code == 302
    drain()
    matter.refresh_from_db()
    assert matter.promised_at == before and not DayOverride.objects.exists()
    assert admin.post(reverse("matters:restore_day"), {"day": "x"}).status_code == 404


def test_a_day_without_ground_is_refused_and_others_may_not_change_it(sign_in, admin):
    answer = admin.post(PAGE, {"day": "2022-10-27", "workday": "off", "reason": "停电", "source": ""})
    assert answer.status_code == 422 and "停电" in answer.content.decode()
    client, _ = sign_in("甲局", "李四")
    sent = {"day": "2022-10-27", "workday": "off", "reason": "停电检修", "source": "公告"}
    assert client.post(PAGE, sent).status_code == 403
    assert client.post(reverse("matters:restore_day"), {"day": "2022-10-27"}).status_code == 403
    assert not DayOverride.objects.exists()
