"""The app's configuration: switched on by LIANGZHU_IDENTITY, it offers itself to the residents' sign-in."""

from collections.abc import Iterator

from django.conf import settings

from liangzhu.kernel.apps import HouseApp
from liangzhu.kernel.neighbours import Neighbour, Report, neighbour


def _not_connected() -> Iterator[Report]:
    yield Report(
        "warn",
        "没有接通，群众和企业不能登录。",
        "正式使用请设置 LIANGZHU_IDENTITY；演示时 liangzhu up 自带模拟器，不用设置。",
    )


class ProvinceIdentityApp(HouseApp):
    """The province's unified identity (省统一身份认证)."""

    name = "liangzhu.adapters.province_identity"
    label = "province_identity"
    verbose_name = "省统一身份认证"

    def ready(self) -> None:
        """Register the province, if there is one."""
        super().ready()
        if not settings.LIANGZHU_IDENTITY:
            neighbour(Neighbour("province_identity", self.verbose_name, _not_connected))
            return
        from liangzhu.adapters.province_identity.client import Province
        from liangzhu.adapters.province_identity.wording import Wording
        from liangzhu.kernel.pack import pack

        Province(
            settings.LIANGZHU_IDENTITY,
            settings.LIANGZHU_IDENTITY_CLIENT,
            settings.LIANGZHU_IDENTITY_SECRET,
            Wording.read(pack().toml("identity.toml")),
            seconds=settings.LIANGZHU_IDENTITY_SECONDS,
        ).register()
