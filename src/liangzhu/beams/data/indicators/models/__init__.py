"""The tables of this app."""

from liangzhu.beams.data.indicators.models.indicator import Edition, Indicator
from liangzhu.beams.data.indicators.models.snapshot import Row, RowSet, Snapshot

__all__ = ["Edition", "Indicator", "Row", "RowSet", "Snapshot"]
