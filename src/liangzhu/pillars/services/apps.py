"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class ServicesApp(HouseApp):
    """Services: do a thing once, carry nothing."""

    name = "liangzhu.pillars.services"
    label = "services"
    verbose_name = "政务服务"
