"""Definitions as files and releases: what stands on a shelf of an app or the pack, and then runs as releases.

tables = Definitions("rule", "决策表", shelf="rules", pattern="*.json", parse=checking.parse, mark=with_release)
tables.load()                    # every file checked; release 1 in force, a changed file a draft
tables.of_release(release)       # parsed once: a release never changes
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from liangzhu.kernel import releases
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.models import Release
from liangzhu.kernel.pack import shelf as files_of

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]


class Definitions(Generic[T]):
    """Definitions of one kind of release, called ``title``.

    ``parse(text, origin)`` reads and checks one, and raises DataFileError; ``mark(one, release)`` notes which release it is of.
    What is parsed has a ``key``, after which its file is named.
    """

    def __init__(
        self,
        kind: str,
        title: str,
        *,
        shelf: str,
        pattern: str,
        parse: Callable[[str, str], T],
        mark: Callable[[T, Release], T],
    ):
        self.kind, self.title, self.shelf, self.pattern = kind, title, shelf, pattern
        self._parse, self._mark = parse, mark
        self._known = lru_cache(maxsize=256)(self._parsed)

    def files(self) -> list[Path]:
        """The files of all apps and of the pack, in the order of their keys."""
        return files_of(self.shelf, self.pattern)

    def read(self, file: Path | str) -> T:
        """Read and check one file. Raises DataFileError naming file and line."""
        path = Path(file)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataFileError(str(path), [(1, f"文件读不出来：{error}")]) from None
        return self._parse(text, str(path))

    def load(self, check: Callable[[T, str], None] = lambda one, origin: None) -> list[Release]:
        """Check every file and make it known: release 1 in force, a changed file as a draft for the second person.

        ``check(one, origin)`` looks further than the file itself. Raises DataFileError.
        """
        seeded = []
        for path in self.files():
            origin = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
            text = path.read_text(encoding="utf-8")
            one = self._parse(text, origin)
            if one.key != path.stem:
                raise DataFileError(origin, [(1, f"文件名应与 key 相同：{one.key}{path.suffix}")])
            check(one, origin)
            seeded.append(releases.seed(self.kind, one.key, text, origin))
        return seeded

    def of_release(self, release: Release) -> T:
        """That of a release. Releases never change, so it is read once."""
        return self._known(release.pk, release.fingerprint)

    def by_release_id(self, release_id: int) -> T:
        """That of a release which is known by its id only. Raises NotThere."""
        row = Release.objects.filter(pk=release_id, kind=self.kind).only("pk", "fingerprint").first()
        if row is None:
            raise NotThere(f"没有这个版本的{self.title}。")
        return self.of_release(row)

    def in_force(self, key: str) -> T:
        """The one in force. Raises NotThere."""
        return self.of_release(releases.in_force(self.kind, key))

    def forget(self) -> None:
        """Empty the cache. For tests, where ids are given out again."""
        self._known.cache_clear()

    def _parsed(self, pk: int, fingerprint: str) -> T:
        release = Release.objects.get(pk=pk)
        return self._mark(self._parse(release.body, release.origin or release.key), release)
