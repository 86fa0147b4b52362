"""The app's configuration."""

from importlib import import_module

from liangzhu.kernel.apps import HouseApp


class SourcesApp(HouseApp):
    """Sources of what government holds, receipts, the data trail."""

    name = "liangzhu.beams.trust.sources"
    label = "sources"
    verbose_name = "数据来源"

    def ready(self) -> None:
        """Also: keep the trail, and register the sources that the district has itself."""
        super().ready()
        import_module(f"{self.name}.trailing")
        import_module(f"{self.name}.own")
        import_module(f"{self.name}.prefill")
