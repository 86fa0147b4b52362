"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class CodesApp(HouseApp):
    """The service code: shown by residents, scanned and checked at the counter."""

    name = "liangzhu.beams.people.codes"
    label = "codes"
    verbose_name = "服务码"
