"""What the city's exchange offers to this district: resources of the pack (`exchange.toml`), registered as sources."""

from collections.abc import Callable
from functools import partial

from liangzhu.adapters.city_exchange.client import Exchange
from liangzhu.beams.trust.sources.api import Field, Source
from liangzhu.kernel.pack import Pack, PackError

FILE = "exchange.toml"


def read(pack: Pack, exchange: Exchange) -> list[Source]:
    """The sources that the pack declares. Raises PackError naming what is missing."""
    given = pack.toml(FILE)
    unconfirmed = bool(given.get("unconfirmed"))
    return [_source(one, exchange, unconfirmed) for one in given.get("resource", [])]


def _source(one: dict, exchange: Exchange, unconfirmed: bool) -> Source:
    try:
        fields = {
            item["name"]: Field(item["title"], item.get("type", "text"), item.get("grade", 3))
            for item in one["field"]
        }
        return Source(
            key=f"exchange.{one['key']}",
            title=one["title"],
            holder=one["holder"],
            subject=one["subject"],
            fields=fields,
            fetch=_asking(exchange, one["key"]),
            basis=one["basis"],
            remote=True,
            # A little more than the client waits itself, so that its own words come through.
            seconds=exchange.seconds + 0.5,
            unconfirmed=unconfirmed,
        )
    except KeyError as missing:
        raise PackError(f"地区包文件 {FILE} 的资源 {one.get('key', '?')} 缺少 {missing}。") from None


def _asking(exchange: Exchange, resource: str) -> Callable:
    return partial(exchange.query, resource)
