"""Going over the whole log: every leaf, detail, tile, head and line of the heads file is computed again.

Reads in pieces, so that memory stays the same however long the log is. Each finding names the leaf and what to do.
What nothing inside can show, a log that was replaced as a whole by whoever holds the key, is seen by a head that was
saved outside (``since``).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

from liangzhu.kernel import crypto, keys
from liangzhu.kernel.log import heads, tree
from liangzhu.kernel.log.leaves import holds, leaf_text, stamp
from liangzhu.kernel.log.store import read_tiles
from liangzhu.kernel.models import LogHead, LogLeaf

PIECE = 8 * tree.WIDTH
"""Leaves read at a time."""
NAMED = 200
"""Findings that are listed; the rest is counted."""

KEEP = "请先保全现场（复制数据库、heads.txt 和运行记录），不要修改；"
COMPARE = KEEP + "再与最近一份核验通过的备份逐条比对，查出是谁、何时改的。"
RESTORE = KEEP + "再从最近一份核验通过的备份恢复，并按网络安全事件处理。"
REBUILD = KEEP + "日志内容本身没有变；从备份恢复这一块树，或请维护人员由日志重建。"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was signed. ``leaf`` and ``until`` are the first and last leaf concerned, if any are."""

    code: str
    detail: str
    todo: str
    leaf: int | None = None
    until: int | None = None


@dataclass
class Report:
    """What was gone over, and what was found."""

    leaves: int = 0
    heads: int = 0
    file_heads: int = 0
    destroyed: int = 0
    """Leaves whose details were destroyed by rule: the leaf stands, what it said is gone."""
    waiting: int = 0
    """Committed leaves that have no number yet."""
    root: str = tree.EMPTY_ROOT.hex()
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything is as it was signed."""
        return not self.findings

    def add(
        self, code: str, detail: str, todo: str, leaf: int | None = None, until: int | None = None
    ) -> None:
        """Note a finding."""
        if len(self.findings) < NAMED:
            self.findings.append(Finding(code, detail, todo, leaf, until))
        else:
            self.unlisted += 1

    def as_json(self) -> dict:
        """The report for programs."""
        return {"ok": self.ok} | asdict(self)


@dataclass(frozen=True)
class _Said:
    """What somebody says of the tree at one size: the database, the heads file, a saved head."""

    size: int
    root: str
    source: str
    head: LogHead | None = None
    line: heads.Line | None = None


def verify(
    since: Iterable[dict] = (), progress: Callable[[int, int], None] = lambda done, of: None
) -> Report:
    """Go over everything up to the latest head.

    ``since`` are heads that were saved outside (as `/log/head.json` gives them, or proofs that hold one);
    ``progress(done, of)`` is called now and then. Raises ValueError when a saved head cannot be read.
    """
    return _Walk(list(since), progress).run()


class _Walk:
    def __init__(self, since: list[dict], progress: Callable[[int, int], None]):
        self.report = Report()
        self.progress = progress
        self.saved = sorted((_saved(each) for each in since), key=lambda said: said["size"])
        # What the tiles say, and, where that differs from what the leaves say, the leaves.
        self.kept = tree.Edge()
        self.leaves: tree.Edge | None = None
        self.doubts: list[tuple[int, bytes | None, bytes | None]] = []
        """Since the last head: number, hash by the leaf (None: no leaf), hash by the tile (None: none)."""
        self.good = 0
        self.wrong: dict[str, list[int]] = {}
        """By source: the first size at which it does not fit, the last size before it that did, how many do not."""
        self.blind = False
        self.upper: list[list[tuple[bytes, ...]]] = []
        self.known_keys: dict[str, str | None] = {}

    def run(self) -> Report:
        """Walk from the first leaf to the latest head."""
        report = self.report
        # The file first: it is written after the database, so that a head in it must be in the database by now.
        in_file = heads.last_in_file(heads.heads_file())
        latest = heads.latest_head()
        self.size = latest.size if latest else 0
        self._cut_end(in_file)
        said = self._said()
        coming = next(said, None)
        for number, leaf, stored in self._leaves():
            self._leaf(number, leaf, stored)
            while coming and coming.size == number + 1:
                self._head(coming)
                coming = next(said, None)
            if (number + 1) % PIECE == 0:
                self.progress(number + 1, self.size)
        self._settle(None)
        self._report_wrong()
        self._upper_end()
        self.progress(self.size, self.size)
        beyond = LogLeaf.objects.filter(number__gte=self.size).order_by("number").first()
        after = heads.latest_head()
        if beyond and beyond.number >= (after.size if after else 0):
            report.add(
                "leaf_unsigned",
                f"{beyond.number} 号有编号，却没有任何树头包含它：树头被删掉了，或编号是手工写进去的。",
                RESTORE,
                beyond.number,
            )
        report.waiting = LogLeaf.objects.filter(number=None).count()
        if not self.blind:
            report.root = self.kept.root.hex()
        return report

    # What is read --------------------------------------------------------------------------------------------------

    def _leaves(self) -> Iterator[tuple[int, LogLeaf | None, bytes | None]]:
        """Every number below the size, its leaf and its hash in the tiles, None where there is none."""
        for start in range(0, self.size, PIECE):
            end = min(start + PIECE, self.size)
            rows = LogLeaf.objects.filter(number__gte=start, number__lt=end).select_related("detail")
            found: dict[int, LogLeaf] = {}
            for row in rows:
                if row.number in found:
                    self.report.add("leaf_doubled", f"{row.number} 号出现了不止一条。", COMPARE, row.number)
                found[row.number] = row
            tiles = read_tiles(
                (0, index) for index in range(start // tree.WIDTH, (end - 1) // tree.WIDTH + 1)
            )
            for number in range(start, end):
                at = number % tree.WIDTH * tree.HASH
                stored = tiles.get((0, number // tree.WIDTH), b"")[at : at + tree.HASH]
                yield number, found.get(number), stored if len(stored) == tree.HASH else None

    def _said(self) -> Iterator[_Said]:
        """All that is said of the tree, by size: the database's heads, the file's, those saved outside."""
        database, file = self._database_heads(), self._file_heads()
        saved = iter([_Said(each["size"], each["root"], "saved") for each in self.saved])
        nexts = [next(stream, None) for stream in (database, file, saved)]
        streams = [database, file, saved]
        while any(nexts):
            size = min(said.size for said in nexts if said)
            here = []
            for place, stream in enumerate(streams):
                while nexts[place] and nexts[place].size == size:
                    here.append(nexts[place])
                    nexts[place] = next(stream, None)
            self._compare(here)
            yield from here

    def _database_heads(self) -> Iterator[_Said]:
        last = 0
        while piece := list(
            LogHead.objects.filter(size__gt=last, size__lte=self.size).order_by("size")[:PIECE]
        ):
            for head in piece:
                self.report.heads += 1
                yield _Said(head.size, head.root, "database", head=head)
            last = piece[-1].size

    def _file_heads(self) -> Iterator[_Said]:
        last = 0
        for number, line in heads.read_file(heads.heads_file()):
            if line is None:
                self.report.add("file_line", f"heads.txt 第 {number} 行读不出来。", COMPARE)
            elif line.public:
                if self._public(line.key) != line.public:
                    self.report.add(
                        "key_replaced",
                        f"heads.txt 记下的签名密钥 {line.key} 与现在的不是同一把：密钥被换掉了。",
                        RESTORE,
                    )
            elif line.size <= last:
                self.report.add("file_line", f"heads.txt 第 {number} 行的顺序不对。", COMPARE)
            else:
                last = line.size
                if line.size > self.size:
                    # What came while we walk, or what was cut: `_cut_end` has looked.
                    return
                self.report.file_heads += 1
                yield _Said(line.size, line.root, "file", line=line)

    def _public(self, key: str) -> str | None:
        if key not in self.known_keys:
            try:
                self.known_keys[key] = keys.public(key).hex()
            except (keys.NoSuchKey, crypto.CryptoError):
                self.known_keys[key] = None
        return self.known_keys[key]

    # What is compared ----------------------------------------------------------------------------------------------

    def _cut_end(self, in_file: heads.Line | None) -> None:
        beyond = [("heads.txt", in_file.size)] if in_file and in_file.size > self.size else []
        beyond += [("另存的树头", each["size"]) for each in self.saved if each["size"] > self.size]
        for source, size in beyond:
            self.report.add(
                "cut",
                f"{source}里有大小为 {size} 的树头，数据库里的日志却只到 {self.size}："
                f"尾部的 {self.size} 号至 {size - 1} 号被截去，或换成了旧的数据库。",
                RESTORE + "若是按规定从旧备份恢复的，把原 heads.txt 改名留存，写明原因。",
                self.size,
                size - 1,
            )
        if in_file is None and self.size:
            self.report.add(
                "file_missing",
                f"没有 {heads.heads_file()}，不能发现数据库被截尾或整个换掉。",
                "请从备份取回这个文件；取不回来时写明原因，后台进程会重新写出。",
            )

    def _compare(self, here: list[_Said]) -> None:
        """Hold the lines of one size against each other, and check the signatures."""
        head = next((said.head for said in here if said.head), None)
        size = here[0].size
        if head and not heads.signature_holds(head):
            self.report.add(
                "head_forged",
                f"大小为 {size} 的树头签名不对：不是密钥 {head.key} 签的，或签后被改过。",
                COMPARE,
                size - 1,
            )
        for said in here:
            line = said.line
            if line is None:
                continue
            if head is None:
                self.report.add(
                    "head_removed", f"heads.txt 里大小为 {size} 的树头，数据库里没有了。", COMPARE, size - 1
                )
            elif (line.root, line.at, line.key, line.signature) != (
                head.root,
                stamp(head.at),
                head.key,
                head.signature,
            ):
                self.report.add(
                    "head_altered",
                    f"大小为 {size} 的树头，数据库里的与 heads.txt 里的不一样：其中一个被改过。",
                    COMPARE,
                    size - 1,
                )
        for each in self.saved:
            if each["size"] == size and self._public(each["key"]) != each["public_key"]:
                self.report.add(
                    "key_replaced",
                    f"另存的树头由密钥 {each['key']} 签名，现在这个名下的却是另一把密钥。",
                    RESTORE,
                )

    def _leaf(self, number: int, leaf: LogLeaf | None, stored: bytes | None) -> None:
        """Compute one leaf again."""
        found = None
        if leaf is not None:
            self.report.leaves += 1
            found = tree.leaf_hash(leaf_text(leaf).encode())
            held = holds(leaf)
            if held is None:
                self.report.destroyed += 1
            elif not held:
                self.report.add(
                    "detail_changed", f"{number} 号的内容被改过，与它的承诺值不符。", COMPARE, number
                )
        if found != stored:
            if self.leaves is None:
                self.leaves = self.kept.copy()
            self.doubts.append((number, found, stored))
            if len(self.doubts) > 8 * PIECE:
                # So many that no head will tell: memory has an end.
                self._settle(None)
        believed = stored or found
        if believed is None:
            self.blind = True
        if self.blind:
            return
        self.kept.add(believed)
        if self.leaves is not None:
            self.leaves.add(found or believed)
        self._upper(0, (believed,) if found is None else tuple(dict.fromkeys((believed, found))))

    def _head(self, said: _Said) -> None:
        """Hold a head against the tree that was computed."""
        if self.blind:
            self._misfit(said)
        elif self.kept.root.hex() == said.root:
            self._settle("leaves")
            self.good = said.size
        elif self.leaves is not None and self.leaves.root.hex() == said.root:
            self._settle("tiles")
            self.kept, self.leaves = self.leaves, None
            self.good = said.size
        else:
            self._misfit(said)

    def _misfit(self, said: _Said) -> None:
        self.wrong.setdefault(said.source, [said.size, self.good, 0])[2] += 1

    def _settle(self, culprit: str | None) -> None:
        """A head told who is right where leaves and tiles differ; without one, name both."""
        doubts, self.doubts = self.doubts, []
        if culprit == "leaves":
            self.leaves = None
        if culprit == "tiles":
            for first, last in _runs([number for number, _, _ in doubts]):
                self.report.add(
                    "tile_changed",
                    f"树里 {_numbers(first, last)}的散列被改过，日志本身与树头相符。",
                    REBUILD,
                    first,
                    last,
                )
            return
        missing = [number for number, found, stored in doubts if found is None]
        for first, last in _runs(missing):
            self.report.add(
                "leaf_missing", f"{_numbers(first, last)}被删掉了，编号在这里断开。", RESTORE, first, last
            )
        self._changed([doubt for doubt in doubts if doubt[1] is not None and doubt[2] is not None])
        for first, last in _runs([number for number, found, stored in doubts if found and not stored]):
            self.report.add("tile_missing", f"树里缺少 {_numbers(first, last)}的散列。", REBUILD, first, last)

    def _changed(self, doubts: list[tuple[int, bytes | None, bytes | None]]) -> None:
        places = {stored: number for number, _, stored in doubts}
        for number, found, _ in doubts:
            other = places.get(found)
            if other is None:
                self.report.add("leaf_changed", f"{number} 号被改过，与树里的散列不符。", COMPARE, number)
            else:
                self.report.add(
                    "leaf_moved",
                    f"{number} 号现在的内容原是 {other} 号的：次序被调换。",
                    COMPARE,
                    number,
                    other,
                )

    def _report_wrong(self) -> None:
        """Heads that the tree does not give. All later ones are wrong too: one finding for each source."""
        names = {"database": "数据库里", "file": "heads.txt 里", "saved": "另存的"}
        for source, (first, before, count) in self.wrong.items():
            many = f"等 {count} 个树头" if count > 1 else "的树头"
            self.report.add(
                "root_differs",
                f"{names[source]}大小为 {first} {many}与日志算出的根不符："
                f"{_numbers(before, first - 1)}之中有连树一起改过的，或树头是伪造的。",
                RESTORE,
                before,
                first - 1,
            )

    # The upper levels of tiles -------------------------------------------------------------------------------------

    def _upper(self, level: int, values: tuple[bytes, ...]) -> None:
        """Collect what a hash of one level may be: one value, or two where leaf and tile differ and no head said yet.

        A full tile is compared and becomes one hash of the next level.
        """
        if level == len(self.upper):
            self.upper.append([])
        self.upper[level].append(values)
        if len(self.upper[level]) == tree.WIDTH:
            full = self.upper[level]
            self.upper[level] = []
            index = (self.kept.size >> tree.BITS * (level + 1)) - 1
            choices = (
                ([each[0] for each in full], [each[-1] for each in full])
                if level == 0
                else (self._tile(level, index, full),)
            )
            self._upper(level + 1, tuple(dict.fromkeys(tree.root_of(choice) for choice in choices)))

    def _upper_end(self) -> None:
        if not self.blind:
            for level, part in enumerate(self.upper):
                if part and level:
                    self._tile(level, self.kept.size >> tree.BITS * (level + 1), part)

    def _tile(self, level: int, index: int, wanted: list[tuple[bytes, ...]]) -> list[bytes]:
        """Compare one kept tile; returns its hashes as they should be."""
        blob = read_tiles([(level, index)]).get((level, index), b"")
        stored = [blob[at : at + tree.HASH] for at in range(0, len(wanted) * tree.HASH, tree.HASH)]
        right = [one if one in values else values[0] for one, values in zip(stored, wanted, strict=True)]
        if right != stored:
            width = tree.WIDTH ** (level + 1)
            self.report.add(
                "tile_changed" if blob else "tile_missing",
                f"树的第 {level} 层第 {index} 块{'被改过' if blob else '不见了'}，日志本身与树头相符。",
                REBUILD,
                index * width,
                min((index + 1) * width, self.size) - 1,
            )
        return right


def _saved(given: dict) -> dict:
    """A head saved outside, checked by itself. Raises ValueError."""
    head = given.get("head", given.get("new", given)) if isinstance(given, dict) else {}
    try:
        message = heads.signed_text(int(head["size"]), head["root"], head["time"])
        public, signature = bytes.fromhex(head["public_key"]), bytes.fromhex(head["signature"])
        good = crypto.verify(public, message, signature) and isinstance(head["key"], str)
    except (KeyError, TypeError, ValueError, crypto.CryptoError) as error:
        raise ValueError("这不是另存的树头（/log/head.json 的内容），缺少或写错了字段。") from error
    if not good:
        raise ValueError(f"另存的树头（大小 {head['size']}）签名不对，不能用来核验。")
    return head


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring numbers as first and last."""
    first = last = None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None:
            yield first, last
        first = last = number
    if first is not None:
        yield first, last


def _numbers(first: int, last: int) -> str:
    return f"{first} 号" if first == last else f"{first} 号至 {last} 号"
