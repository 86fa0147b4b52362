"""What the city's exchange offers to this district: resources of the pack (`exchange.toml`), registered as sources."""

from functools import partial

from liangzhu.adapters.city_exchange.client import Exchange
from liangzhu.beams.trust.sources.api import Ask, Field, Source, SourceDown
from liangzhu.kernel.pack import Pack, PackError

FILE = "exchange.toml"


OFF = "没有启用城市数据交换"


def read(pack: Pack, exchange: Exchange | None) -> list[Source]:
    """The sources that the pack declares; without an exchange they are known, and off. Raises PackError naming what is missing."""
    if not (pack.folder / FILE).exists():
        return []
    given = pack.toml(FILE)
    unconfirmed = bool(given.get("unconfirmed"))
    return [_source(one, exchange, unconfirmed) for one in given.get("resource", [])]


def _source(one: dict, exchange: Exchange | None, unconfirmed: bool) -> Source:
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
            fetch=partial(exchange.query, one["key"]) if exchange else _nothing,
            basis=one["basis"],
            remote=True,
            # A little more than the client waits itself, so that its own words come through.
            seconds=(exchange.seconds if exchange else 0) + 0.5,
            unconfirmed=unconfirmed,
            off="" if exchange else OFF,
        )
    except KeyError as missing:
        raise PackError(f"地区包文件 {FILE} 的资源 {one.get('key', '?')} 缺少 {missing}。") from None


def _nothing(ask: Ask) -> dict:
    raise SourceDown(f"{OFF}。")
