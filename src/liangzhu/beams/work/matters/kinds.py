"""Kinds of matters: what the app that owns a kind tells the engine about it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.apps import AppConfig, apps
from django.db.models import Q
from django.urls import reverse

from liangzhu.beams.work.matters.grammar import Field
from liangzhu.beams.work.matters.models import Matter
from liangzhu.kernel.actions import Act
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.now import today
from liangzhu.kernel.releases import next_number


@dataclass(frozen=True)
class Opening:
    """How people and programs open matters of a kind (登记).

    ``run`` is the owning app's action, called as ``run(actor, title=, data=, note=, files=, once=)``; it writes what the kind
    keeps of its own, passes ``data`` on to `engine.open_matter`, and returns the matter. ``policy`` says who may open one
    at all; ``title`` is what the step is called. ``titled`` False: ``run`` makes the title, and nobody is asked for one.
    ``fields`` are asked instead of those that the process declares, and reach ``run`` typed. A source of choices that is
    named for an opening is asked with None: there is no matter yet.
    """

    run: Callable[..., Matter]
    policy: str
    title: str = "登记"
    titled: bool = True
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of matter (事项种类).

    ``opening`` lets people and programs open one; a kind without it comes about ``elsewhere``, which says where in words.
    ``process`` is the key of its process. ``panels`` are (template, context function) shown on the matter's
    page; ``visible(actor)`` opens rows beyond those of the units that take part: a Q over Matter, True for
    every row of the kind, or None. ``url(matter)`` is its page, ``own_url(matter)`` the one for whoever applied,
    ``number(act)`` gives the next number.
    """

    key: str
    title: str
    process: str
    panels: tuple[tuple[str, Callable], ...] = ()
    visible: Callable[[Actor], Q | bool | None] | None = None
    url: Callable[[Matter], str] | None = None
    own_url: Callable[[Matter], str] | None = None
    number: Callable[[Act], str] | None = None
    opening: Opening | None = None
    elsewhere: str = "在别的业务里办到那一步时，由系统登记"

    @property
    def app(self) -> str:
        """The label of the app that owns the kind: the one whose `processes` folder holds its process."""
        return process_file(self.process)[0]

    @property
    def initials(self) -> str:
        """The letters that its numbers begin with: PT for plan_task."""
        return "".join(word[0] for word in self.key.split("_")).upper()

    def next_number(self, act: Act) -> str:
        """The next number; without a rule of its own initials, year and a count: PT-2022-0007."""
        if self.number:
            return self.number(act)
        return f"{self.initials}-{today().year}-{next_number(f'matter:{self.initials}'):04d}"

    def url_of(self, matter: Matter) -> str:
        """The page of a matter of this kind."""
        return self.url(matter) if self.url else reverse("matters:matter", args=[matter.pk])

    def own_url_of(self, matter: Matter) -> str:
        """The page of a matter of this kind for whoever applied."""
        return self.own_url(matter) if self.own_url else reverse("own_matter", args=[matter.pk])


_kinds: dict[str, Kind] = {}


def register_kind(
    kind: str,
    title: str,
    *,
    process: str,
    url: Callable[[Matter], str] | None = None,
    own_url: Callable[[Matter], str] | None = None,
    number: Callable[[Act], str] | None = None,
    panels: list[tuple[str, Callable]] | None = None,
    visible: Callable[[Actor], Q | bool | None] | None = None,
    opening: Opening | None = None,
    elsewhere: str = Kind.elsewhere,
) -> Kind:
    """Register a kind, in the owning app's `processes.py`; `Kind` says what the arguments are. Raises
    ValueError.
    """
    if kind in _kinds:
        raise ValueError(f"kind {kind} is registered twice")
    _kinds[kind] = Kind(
        kind, title, process, tuple(panels or ()), visible, url, own_url, number, opening, elsewhere
    )
    return _kinds[kind]


def kind_of(key: str) -> Kind:
    """The kind of that name. Raises KeyError with the names that exist."""
    try:
        return _kinds[key]
    except KeyError:
        raise KeyError(f"no kind of matter {key!r}; known: {', '.join(sorted(_kinds))}") from None


def all_kinds() -> dict[str, Kind]:
    """Every kind by name."""
    return dict(_kinds)


@cache
def process_file(key: str) -> tuple[str, Path]:
    """The app label and the file of a process, `processes/<key>.toml` of some app; ("", empty path) when
    there is none.
    """
    for app in apps.get_app_configs():
        path = _folder(app) / f"{key}.toml"
        if path.exists():
            return app.label, path
    return "", Path()


def process_files() -> list[Path]:
    """The process files of all apps, in the order of their keys."""
    return sorted(
        (path for app in apps.get_app_configs() for path in _folder(app).glob("*.toml")), key=lambda p: p.stem
    )


def _folder(app: AppConfig) -> Path:
    return Path(app.path) / "processes"
