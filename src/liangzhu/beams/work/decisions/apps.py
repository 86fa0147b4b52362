"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class DecisionsApp(HouseApp):
    """Decision tables."""

    name = "liangzhu.beams.work.decisions"
    label = "decisions"
    verbose_name = "决策表"
