"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class ProgrammeApp(HouseApp):
    """The plan as a live ledger."""

    name = "liangzhu.pillars.programme"
    label = "programme"
    verbose_name = "计划督办"
