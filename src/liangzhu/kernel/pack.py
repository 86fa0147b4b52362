"""The district's pack: its own values, as data, with their sources. No district's value stands in code."""

import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.apps import apps
from django.conf import settings


class PackError(ValueError):
    """A pack that is missing or cannot be read; the message says which file and what to do."""


class Pack:
    """A folder of TOML files; see `packs/README.md` for what each one holds."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._files: dict[str, dict] = {}

    def toml(self, name: str) -> dict:
        """One file, parsed. Raises PackError naming file and line."""
        if name not in self._files:
            path = self.folder / name
            try:
                self._files[name] = tomllib.loads(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                raise PackError(f"地区包缺少文件 {path}；请检查 LIANGZHU_PACK 的设置。") from None
            except tomllib.TOMLDecodeError as error:
                raise PackError(f"地区包文件 {path} 写法有误：{error}") from None
        return self._files[name]

    @property
    def district(self) -> dict:
        """`pack.toml`: names, codes, telephone, demonstration day."""
        return self.toml("pack.toml")


@cache
def _pack(folder: str) -> Pack:
    return Pack(Path(folder))


def pack() -> Pack:
    """The pack in use (`LIANGZHU_PACK`)."""
    return _pack(str(settings.LIANGZHU_PACK))


def shelf(name: str, pattern: str) -> list[Path]:
    """The files of that shelf (``forms``, ``rules`` …) of every app and of the pack, by stem.

    What is the law of the land ships with an app; what is the district's comes with the pack.
    Raises PackError when two files have the same stem.
    """
    folders = [Path(app.path) / name for app in apps.get_app_configs()] + [pack().folder / name]
    found = sorted((path for folder in folders for path in folder.glob(pattern)), key=lambda path: path.stem)
    for one, other in pairwise(found):
        if one.stem == other.stem:
            raise PackError(f"{one} 和 {other} 同名；请给其中一个另取名称。")
    return found
