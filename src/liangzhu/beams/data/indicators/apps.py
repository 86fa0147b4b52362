"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class IndicatorsApp(HouseApp):
    """Indicators: definition, named query, snapshot, drill-down."""

    name = "liangzhu.beams.data.indicators"
    label = "indicators"
    verbose_name = "指标"
