"""Systems of coordinates: known points, and there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liangzhu.kernel import places

# The points that the libraries in use (eviltransform, coordtransform) test themselves by.
GCJ = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
BD = [((116.404, 39.915), (116.41036949371029, 39.92133699351022))]

inside = st.tuples(st.floats(74, 135), st.floats(18, 53))


@pytest.mark.parametrize(("wgs", "gcj"), GCJ)
def test_gcj_02_is_that_of_the_maps(wgs, gcj):
    assert places.from_wgs84(*wgs, "gcj02") == pytest.approx(gcj, abs=1e-9)
    assert places.to_wgs84(*gcj, "gcj02") == pytest.approx(wgs, abs=1e-8)


@pytest.mark.parametrize(("gcj", "bd"), BD)
def test_bd_09_is_that_of_its_map(gcj, bd):
    wgs = places.to_wgs84(*gcj, "gcj02")
    assert places.from_wgs84(*wgs, "bd09") == pytest.approx(bd, abs=1e-8)
    assert places.to_wgs84(*bd, "bd09") == pytest.approx(wgs, abs=1e-8)


@given(inside, st.sampled_from(list(places.SYSTEMS)))
def test_a_point_goes_there_and_back(point, system):
    assert places.to_wgs84(*places.from_wgs84(*point, system), system) == pytest.approx(point, abs=1e-8)


def test_the_shift_is_of_hundreds_of_metres_here_and_none_abroad():
    lon, lat = places.to_wgs84(119.17, 34.59, "gcj02")
    assert 0.002 < 119.17 - lon < 0.008 and abs(34.59 - lat) < 0.004
    assert places.to_wgs84(2.3522, 48.8566, "gcj02") == (2.3522, 48.8566)
    with pytest.raises(KeyError):
        places.to_wgs84(119.17, 34.59, "mars")
