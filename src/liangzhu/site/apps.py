"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class SiteApp(HouseApp):
    """The composition root."""

    name = "liangzhu.site"
    label = "site"
    verbose_name = "站点"
