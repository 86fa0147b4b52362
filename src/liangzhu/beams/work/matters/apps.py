"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class MattersApp(HouseApp):
    """Matters: process, clock, history, inbox, comments, notices."""

    name = "liangzhu.beams.work.matters"
    label = "matters"
    verbose_name = "办理事项"
