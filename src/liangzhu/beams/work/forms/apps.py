"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class FormsApp(HouseApp):
    """Forms."""

    name = "liangzhu.beams.work.forms"
    label = "forms"
    verbose_name = "表单"
