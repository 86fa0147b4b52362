"""The app's configuration."""

from importlib import import_module

from liangzhu.kernel.apps import HouseApp


class ServicesApp(HouseApp):
    """Services: do a thing once, carry nothing."""

    name = "liangzhu.pillars.services"
    label = "services"
    verbose_name = "政务服务"

    def ready(self) -> None:
        """Also: register what was answered in the guide as a source of forms."""
        super().ready()
        import_module(f"{self.name}.answers")
