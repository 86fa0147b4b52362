"""The app's configuration: switched on by LIANGZHU_NATS, it registers courier, listener and check."""

from django.conf import settings

from liangzhu.kernel.apps import HouseApp


class NatsApp(HouseApp):
    """NATS JetStream (消息服务)."""

    name = "liangzhu.adapters.nats"
    label = "nats"
    verbose_name = "消息服务"

    def ready(self) -> None:
        """Register what the settings switch on."""
        super().ready()
        if not settings.LIANGZHU_NATS:
            return
        from liangzhu.adapters.nats.broker import Broker
        from liangzhu.kernel.pack import pack

        Broker(
            settings.LIANGZHU_NATS,
            prefix=settings.LIANGZHU_NATS_PREFIX,
            stream=settings.LIANGZHU_NATS_STREAM,
            incoming=settings.LIANGZHU_NATS_INCOMING,
            region=pack().district["region_code"],
        ).register()
