"""The form files of all apps and of the pack, and their releases."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from liangzhu.beams.work.forms import grammar, registry
from liangzhu.beams.work.forms.grammar import FormSpec
from liangzhu.kernel import releases
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.log import sm3
from liangzhu.kernel.models import Release
from liangzhu.kernel.pack import shelf
from liangzhu.kernel.refs import Ref

RELEASE_KIND = "form"


def in_force(key: str) -> FormSpec:
    """The form in force. Raises NotThere."""
    release = Release.objects.filter(kind=RELEASE_KIND, key=key, state=Release.IN_FORCE).first()
    if release is None:
        raise NotThere(f"没有名为 {key} 的表单。", todo="请核对网址；新的表单要先载入并发布。")
    return of_release(release)


def of_release(release: Release) -> FormSpec:
    """The form of a release. Releases never change, so it is read once."""
    return _of_release(release.pk, release.fingerprint)


def by_release_id(release_id: int) -> FormSpec:
    """The form of a release that is known by its id. Raises NotThere."""
    row = Release.objects.filter(pk=release_id, kind=RELEASE_KIND).only("pk", "fingerprint").first()
    if row is None:
        raise NotThere("没有这个版本的表单。")
    return of_release(row)


def by_fingerprint(key: str, fingerprint: str) -> FormSpec:
    """The release of a form that has this hash. Raises NotThere."""
    row = (
        Release.objects.filter(kind=RELEASE_KIND, key=key, fingerprint=fingerprint)
        .order_by("-number")
        .first()
    )
    if row is None:
        raise NotThere(f"表单 {key} 没有这个版本。")
    return of_release(row)


def edition(key: str, subject: str) -> FormSpec:
    """The release of a form that a subject (Ref as text, or "") is to be filled in under. Raises NotThere."""
    if subject:
        ref = Ref.parse(subject)
        kind = registry.subjects.get(ref.kind)
        mark = kind.edition(ref, key) if kind and kind.edition else ""
        if mark:
            return by_fingerprint(key, mark)
    return in_force(key)


def fingerprint(key: str) -> str | None:
    """The hash of the form in force; that of the shipped file before anything is loaded; None when there is no such form."""
    row = Release.objects.filter(kind=RELEASE_KIND, key=key, state=Release.IN_FORCE).first()
    if row is not None:
        return row.fingerprint
    path = next((path for path in form_files() if path.stem == key), None)
    return sm3(path.read_bytes()) if path else None


@lru_cache(maxsize=256)
def _of_release(pk: int, fingerprint: str) -> FormSpec:
    release = Release.objects.get(pk=pk)
    form = grammar.parse(release.body, release.origin or release.key)
    return replace(form, release=release.number, release_id=pk, fingerprint=release.fingerprint)


def forget() -> None:
    """Empty the cache. For tests, where ids are given out again."""
    _of_release.cache_clear()


def form_files() -> list[Path]:
    """The form files of all apps and of the pack, in the order of their keys."""
    return shelf("forms", "*.json")


def read_form(file: Path | str) -> FormSpec:
    """Read and check a form file. Raises DataFileError naming file and line."""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(str(path), [(1, f"文件读不出来：{error}")]) from None
    return grammar.parse(text, str(path))


def load_forms() -> list[Release]:
    """Check every form file and make it known: release 1 in force, a changed file as a draft for the second person.

    Raises DataFileError.
    """
    root = Path(__file__).resolve().parents[4]
    seeded = []
    for path in form_files():
        origin = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        text = path.read_text(encoding="utf-8")
        form = grammar.parse(text, origin)
        if form.key != path.stem:
            raise DataFileError(origin, [(1, f"文件名应与 key 相同：{form.key}.json")])
        seeded.append(releases.seed(RELEASE_KIND, form.key, text, origin))
    return seeded
