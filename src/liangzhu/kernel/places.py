"""Coordinates of places: kept in CGCS2000/WGS84 degrees, converted at the edge from what maps in China show.

CGCS2000 (国家大地坐标系) and WGS84 differ by centimetres and count as one here. GCJ-02 (国测局坐标, 高德 and 腾讯 maps) shifts every point
in China by some hundred metres, BD-09 (百度坐标) shifts GCJ-02 again; a pair of numbers without its system is worth nothing.
The formulas are the published approximations that all map libraries use; the way back is found by iteration, to a millimetre.

    to_wgs84(121.531542, 31.175304, "gcj02")      # (121.527211, 31.177428)
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin, sqrt

SYSTEMS = {
    "wgs84": "CGCS2000 或 WGS84（卫星定位、测绘成果）",
    "gcj02": "GCJ-02（高德、腾讯地图）",
    "bd09": "BD-09（百度地图）",
}
"""Systems of coordinates that are understood, with their titles."""
SHORT = {"wgs84": "CGCS2000", "gcj02": "GCJ-02", "bd09": "BD-09"}

WEST, EAST, SOUTH, NORTH = 73.0, 136.0, 3.0, 54.0
"""Degrees between which China lies; outside of them the shifts are not defined."""

DIGITS = 6
"""Decimals of a degree that are kept: a tenth of a metre."""

_AXIS, _SQUARE = (
    6378245.0,
    0.00669342162296594323,
)  # Krasovsky 1940: metres, and the square of the eccentricity
_EXACT = 1e-9
_TURN = pi * 3000 / 180


@dataclass(frozen=True)
class Bounds:
    """A box in CGCS2000 degrees."""

    west: float
    south: float
    east: float
    north: float

    def hold(self, lon: float, lat: float) -> bool:
        """Whether a point lies in it."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


CHINA = Bounds(WEST, SOUTH, EAST, NORTH)


def to_wgs84(lon: float, lat: float, system: str) -> tuple[float, float]:
    """A point of one of the `SYSTEMS` in CGCS2000/WGS84 degrees. Raises KeyError for another system."""
    return {"wgs84": lambda *point: point, "gcj02": _from_gcj, "bd09": _from_bd}[system](lon, lat)


def from_wgs84(lon: float, lat: float, system: str) -> tuple[float, float]:
    """A point in CGCS2000/WGS84 degrees as one of the `SYSTEMS` shows it. Raises KeyError."""
    return {"wgs84": lambda *point: point, "gcj02": _to_gcj, "bd09": _to_bd}[system](lon, lat)


def _to_gcj(lon: float, lat: float) -> tuple[float, float]:
    if not CHINA.hold(lon, lat):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    waves = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    angle = lat / 180 * pi
    bend = 1 - _SQUARE * sin(angle) ** 2
    north = north * 180 / (_AXIS * (1 - _SQUARE) / (bend * sqrt(bend)) * pi)
    east = east * 180 / (_AXIS / sqrt(bend) * cos(angle) * pi)
    return lon + east, lat + north


def _from_gcj(lon: float, lat: float) -> tuple[float, float]:
    return _back(_to_gcj, lon, lat)


def _to_bd(lon: float, lat: float) -> tuple[float, float]:
    return _gcj_to_bd(*_to_gcj(lon, lat))


def _gcj_to_bd(lon: float, lat: float) -> tuple[float, float]:
    far = hypot(lon, lat) + 0.00002 * sin(lat * _TURN)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _TURN)
    return far * cos(angle) + 0.0065, far * sin(angle) + 0.006


def _from_bd(lon: float, lat: float) -> tuple[float, float]:
    return _from_gcj(*_back(_gcj_to_bd, lon, lat))


def _back(
    forth: Callable[[float, float], tuple[float, float]], lon: float, lat: float
) -> tuple[float, float]:
    """The point that a shift leads to this one: the shift changes slowly, so that correcting by what is missing converges."""
    x, y = lon, lat
    for _ in range(30):
        there = forth(x, y)
        east, north = lon - there[0], lat - there[1]
        x, y = x + east, y + north
        if abs(east) < _EXACT and abs(north) < _EXACT:
            break
    return x, y
