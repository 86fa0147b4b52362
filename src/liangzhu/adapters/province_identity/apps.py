"""The app's configuration: switched on by LIANGZHU_IDENTITY, it offers itself to the residents' sign-in."""

from django.conf import settings

from liangzhu.kernel.apps import HouseApp


class ProvinceIdentityApp(HouseApp):
    """The province's unified identity (省统一身份认证)."""

    name = "liangzhu.adapters.province_identity"
    label = "province_identity"
    verbose_name = "省统一身份认证"

    def ready(self) -> None:
        """Register the province, if there is one."""
        super().ready()
        if not settings.LIANGZHU_IDENTITY:
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
