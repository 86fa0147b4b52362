"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class RegistersApp(HouseApp):
    """Natural persons, organisations, mandates, and the second person's check of every change."""

    name = "liangzhu.beams.people.registers"
    label = "registers"
    verbose_name = "人员与组织登记"
