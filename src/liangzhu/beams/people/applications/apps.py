"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class ApplicationsApp(HouseApp):
    """Department applications: registered, reviewed, opened by single sign-on."""

    name = "liangzhu.beams.people.applications"
    label = "applications"
    verbose_name = "应用"
