"""Time has one source, and a demonstration stands on its day."""

from datetime import UTC, date, datetime

import pytest

from liangzhu.kernel import now as clock
from liangzhu.kernel.refs import Ref


def test_a_demonstration_stands_on_its_day_while_the_time_of_day_runs_on(settings):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    first, second = clock.now(), clock.now()
    assert clock.today() == date(2022, 10, 20)
    assert first.astimezone(clock.SHANGHAI).date() == date(2022, 10, 20)
    assert first <= second or clock.today() == date(2022, 10, 20)


def test_a_real_installation_runs_on_today(settings):
    settings.LIANGZHU_DEMO_DATE = None
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5  # noqa: TID251


def test_standing_elsewhere_ends_with_the_block():
    with clock.at("2022-10-20 23:30"):
        assert clock.now() == datetime(2022, 10, 20, 15, 30, tzinfo=UTC)
        assert clock.today() == date(2022, 10, 20)
        with clock.at("2022-10-21"):
            assert clock.today() == date(2022, 10, 21)
        assert clock.today() == date(2022, 10, 20)
    assert clock.today() != date(2022, 10, 20)


def test_a_reference_is_read_as_it_is_written():
    assert Ref.parse(str(Ref("unit", "7"))) == Ref("unit", "7")
    assert Ref.parse("cert:1.2:3").id == "1.2:3"
    for text in ("", "unit", "unit:", ":7"):
        with pytest.raises(ValueError):
            Ref.parse(text)
