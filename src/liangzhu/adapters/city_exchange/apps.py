"""The app's configuration: it registers the exchange's resources as sources; LIANGZHU_EXCHANGE switches them on."""

from django.conf import settings

from liangzhu.kernel.apps import HouseApp


class CityExchangeApp(HouseApp):
    """The city's exchange (城市数据交换)."""

    name = "liangzhu.adapters.city_exchange"
    label = "city_exchange"
    verbose_name = "城市数据交换"

    def ready(self) -> None:
        """Register what the settings switch on."""
        super().ready()
        from liangzhu.adapters.city_exchange.neighbour import declare, switch_on

        if not settings.LIANGZHU_EXCHANGE:
            declare(None)
            return
        switch_on(
            settings.LIANGZHU_EXCHANGE,
            node=settings.LIANGZHU_EXCHANGE_NODE,
            key=settings.LIANGZHU_EXCHANGE_KEY,
            public=settings.LIANGZHU_EXCHANGE_PUBLIC,
            seconds=settings.LIANGZHU_EXCHANGE_SECONDS,
        )
