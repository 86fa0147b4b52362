"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class AccessApp(HouseApp):
    """Accounts, sign-in, second factor, sessions, the post one acts under."""

    name = "liangzhu.beams.people.access"
    label = "access"
    verbose_name = "账号与登录"
