"""The app's configuration, and what is wired together above all apps."""

from liangzhu.kernel.apps import HouseApp


class SiteApp(HouseApp):
    """The composition root."""

    name = "liangzhu.site"
    label = "site"
    verbose_name = "站点"

    def ready(self) -> None:
        """Say which roles of the pillars have the care of what the beams keep."""
        super().ready()
        from liangzhu.beams.data.indicators.api import let_oversee
        from liangzhu.pillars.services.api import let_see_figures

        let_oversee("programme.office", "programme.office_head")
        let_see_figures("programme.leader", "programme.office", "programme.office_head")
