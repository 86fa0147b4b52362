"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class ResidentsApp(HouseApp):
    """Residents and enterprises: sign-in through the province, acting for others, sessions, consents, messages."""

    name = "liangzhu.beams.people.residents"
    label = "residents"
    verbose_name = "群众和企业"
