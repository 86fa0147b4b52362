"""The form files of all apps and of the pack, and their releases."""

from dataclasses import replace

from liangzhu.beams.work.forms import grammar, registry
from liangzhu.beams.work.forms.grammar import FormSpec
from liangzhu.kernel.definitions import Definitions
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.log import sm3
from liangzhu.kernel.models import Release
from liangzhu.kernel.refs import Ref

RELEASE_KIND = "form"


specs = Definitions(
    RELEASE_KIND,
    "表单",
    shelf="forms",
    pattern="*.json",
    parse=grammar.parse,
    mark=lambda form, release: replace(
        form, release=release.number, release_id=release.pk, fingerprint=release.fingerprint
    ),
)
of_release, by_release_id = specs.of_release, specs.by_release_id
form_files, read_form, load_forms, forget = specs.files, specs.read, specs.load, specs.forget


def in_force(key: str) -> FormSpec:
    """The form in force. Raises NotThere."""
    release = Release.objects.filter(kind=RELEASE_KIND, key=key, state=Release.IN_FORCE).first()
    if release is None:
        raise NotThere(f"没有名为 {key} 的表单。", todo="请核对网址；新的表单要先载入并发布。")
    return of_release(release)


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
