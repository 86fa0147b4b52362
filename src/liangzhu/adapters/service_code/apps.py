"""The app's configuration: switched on by LIANGZHU_CODE, it offers itself as the issuer of service codes."""

from collections.abc import Iterator

from django.conf import settings

from liangzhu.kernel.apps import HouseApp
from liangzhu.kernel.neighbours import Neighbour, Report, neighbour


def _not_connected() -> Iterator[Report]:
    yield Report(
        "warn",
        "没有接通，窗口不能扫码，凭证件办理。",
        "正式使用请设置 LIANGZHU_CODE；演示时 liangzhu up 自带模拟器，不用设置。",
    )


class ServiceCodeApp(HouseApp):
    """The province's service codes (服务码)."""

    name = "liangzhu.adapters.service_code"
    label = "service_code"
    verbose_name = "服务码"

    def ready(self) -> None:
        """Register the issuer, if there is one."""
        super().ready()
        if not settings.LIANGZHU_CODE:
            neighbour(Neighbour("service_code", self.verbose_name, _not_connected))
            return
        from liangzhu.adapters.service_code.client import Hall
        from liangzhu.adapters.service_code.wording import Wording
        from liangzhu.kernel.pack import pack

        Hall(
            settings.LIANGZHU_CODE,
            settings.LIANGZHU_CODE_APP,
            settings.LIANGZHU_CODE_SECRET,
            Wording.read(pack().toml("codes.toml")),
            keys=settings.LIANGZHU_CODE_PUBLIC,
            seconds=settings.LIANGZHU_CODE_SECONDS,
        ).register()
