"""Switching the exchange on, and what `liangzhu doctor` says of it."""

from collections.abc import Callable, Iterator

from django.core.exceptions import ImproperlyConfigured

from liangzhu.adapters.city_exchange import resources
from liangzhu.adapters.city_exchange.client import Exchange
from liangzhu.adapters.city_exchange.simulator import DEMO_NODE_KEY
from liangzhu.beams.trust.sources import api as sources
from liangzhu.kernel.neighbours import Neighbour, Report, neighbour
from liangzhu.kernel.observing import request_id
from liangzhu.kernel.pack import pack

KEY = "city_exchange"


def switch_on(address: str, *, node: str, key: bytes | None, public: bytes | None, seconds: int) -> Exchange:
    """Register the exchange: its resources as sources, its state for the doctor. Raises ImproperlyConfigured."""
    if not (node and key and public):
        raise ImproperlyConfigured(
            "设置了 LIANGZHU_EXCHANGE，还要设置 LIANGZHU_EXCHANGE_NODE、LIANGZHU_EXCHANGE_KEY 和 LIANGZHU_EXCHANGE_PUBLIC。"
        )
    try:
        exchange = Exchange(address, node=node, key=key, public=public, seconds=seconds)
    except ValueError:
        raise ImproperlyConfigured("LIANGZHU_EXCHANGE 应是 https://… 或 http://… 这样的地址。") from None
    declared = declare(exchange)
    check = checker(exchange, {one.key for one in declared})
    neighbour(Neighbour(KEY, "城市数据交换", check, simulated=key == DEMO_NODE_KEY))
    return exchange


def declare(exchange: Exchange | None) -> list[sources.Source]:
    """Register the resources of the pack as sources; without an exchange forms know them, and who asks is told that it is off."""
    declared = resources.read(pack(), exchange)
    for one in declared:
        sources.register(one)
    return declared


def checker(exchange: Exchange, declared: set[str]) -> Callable[[], Iterator[Report]]:
    """What the doctor asks: whether it answers, whether keys fit, whether it offers what the pack declares."""

    def check_config() -> Iterator[Report]:
        try:
            offered = {f"exchange.{one}" for one in exchange.resources(request_id())}
        except sources.SourceDown as down:
            yield Report("bad", down.detail, "请核对地址和网络；期间材料转由工作人员核验，不向群众要。")
            return
        except sources.SourceWrong as wrong:
            yield Report("bad", wrong.detail, "请与城市数据交换核对节点编号和双方公钥。")
            return
        if missing := sorted(declared - offered):
            yield Report(
                "warn",
                f"没有向本区开放：{'、'.join(missing)}",
                "请向城市数据交换申请这些资源，或从资料包里去掉。",
            )
        yield Report("good", f"{exchange.shown} 有答复，可读 {len(declared & offered)} 个资源。")

    return check_config
