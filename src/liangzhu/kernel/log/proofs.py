"""Proofs of the log, as JSON. What everybody gets holds hashes only: who has a leaf can hold it against them, who has
none learns nothing, because each leaf hash covers a salted commitment.
"""

from django.db.models import QuerySet

from liangzhu.kernel import keys
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.log import heads, tree
from liangzhu.kernel.log.heads import as_json
from liangzhu.kernel.log.leaves import leaf_text, stamp
from liangzhu.kernel.log.store import read_tiles
from liangzhu.kernel.models import Key, LogHead, LogLeaf

INCLUSION, CONSISTENCY = "liangzhu-log-inclusion-1", "liangzhu-log-consistency-1"
HEADS = 500
"""Heads in one answer."""


class LogDamaged(Problem):
    """The kept tree has a hole where the proof leads."""

    code, title, status = "log_damaged", "日志树不完整", 500
    todo = "请管理员运行 liangzhu log verify，按提示处理。"


def all_heads() -> QuerySet[LogHead]:
    """Every head, open to everybody."""
    return LogHead.objects.all()


def heads_before(size: int | None) -> list[dict]:
    """Heads as JSON, the latest first: those smaller than ``size``, or the latest ones."""
    rows = LogHead.objects.order_by("-size")
    return [as_json(head) for head in (rows if size is None else rows.filter(size__lt=size))[:HEADS]]


def signing_keys(purpose: str = "log") -> list[dict]:
    """The public keys of a purpose, the newest first: id, key in hex, time from which it signs."""
    return [
        {"id": row.id_text, "public_key": bytes(row.public).hex(), "since": stamp(row.created_at)}
        for row in Key.objects.filter(purpose=purpose).order_by("-version")
    ]


def other_keys() -> dict[str, list[dict]]:
    """The public keys of everything else that the district signs with one key for all, by purpose."""
    others = [one.name for one in keys.purposes().values() if one.kind == keys.SM2 and one.name != "log"]
    return {name: signing_keys(name) for name in others}


def head_of(size: int | None = None) -> LogHead:
    """The head at that size, or the latest. Raises NotThere."""
    if size is None:
        head = heads.latest_head()
        if head is None:
            raise NotThere("日志还没有树头。", todo="有了第一条日志之后，后台进程会在一秒内签出树头。")
        return head
    head = LogHead.objects.filter(pk=size).first()
    if head is None:
        raise NotThere(f"没有签过大小为 {size} 的树头。", todo="已签的树头见 /log/heads/。")
    return head


def _hashes(spans: list[tree.Span]) -> list[str]:
    tiles = read_tiles(tree.tiles_of(spans))
    try:
        return [tree.span_hash(span, tiles).hex() for span in spans]
    except tree.TreeDamaged as damage:
        raise LogDamaged(f"出不了证明：{damage}") from damage


def inclusion_proof(number: int, size: int | None = None) -> dict:
    """The public proof that leaf ``number`` stands in the tree of a head (the latest, or that of ``size``).

    Raises NotThere.
    """
    head = head_of(size)
    if not 0 <= number < head.size:
        raise NotThere(
            f"大小为 {head.size} 的树里没有 {number} 号。",
            todo=f"编号从 0 到 {head.size - 1}；刚写入的稍等再查。",
        )
    own, *path = _hashes([(number, number + 1), *tree.inclusion(number, head.size)])
    return {
        "kind": INCLUSION,
        "leaf": {"number": number, "hash": own},
        "path": path,
        "head": as_json(head),
    }


def consistency_proof(old: int, new: int) -> dict:
    """The proof that the tree of the head of ``new`` leaves continues that of ``old`` leaves. Raises NotThere."""
    if not 0 < old <= new:
        raise NotThere("一致性证明要从较小的树头到较大的树头。", todo="请把两个大小对调，并且都大于 0。")
    first, second = head_of(old), head_of(new)
    return {
        "kind": CONSISTENCY,
        "path": _hashes(tree.consistency(old, new)),
        "old": as_json(first),
        "new": as_json(second),
    }


def leaf_proof(number: int, *, details: bool = False) -> dict:
    """The whole proof file of a leaf: as the public one, with what the leaf says and, if asked for, its details.

    Not for everybody: a leaf tells who did what when. Raises NotThere.
    """
    proof = inclusion_proof(number)
    leaf = LogLeaf.objects.select_related("detail").filter(number=number).first()
    if leaf is None:
        raise NotThere(f"{number} 号在树里，但这一条已不在数据库里。", todo="请运行 liangzhu log verify。")
    proof["leaf"]["text"] = leaf_text(leaf)
    detail = getattr(leaf, "detail", None)
    if details and detail is not None:
        proof["details"] = {"salt": bytes(detail.salt).hex(), "body": detail.body}
    return proof
