"""Whether the bundled style and script (`kernel/ui/static/dist`) are those of their sources: by content, not by times."""

import hashlib
from pathlib import Path

from liangzhu.kernel import ui

FOLDER = Path(ui.__file__).parent / "static"
TODO = "请运行 make install（或 npm run build）重新打包，再启动。"


def stale(folder: Path = FOLDER) -> str:
    """What is wrong with the bundle in words, "" when nothing is.

    An installation without the sources of the style has nothing to compare.
    """
    if any(not (folder / "dist" / name).exists() for name in ("ui.css", "ui.js")):
        return "样式和脚本还没有打包，页面没有样式。"
    if not (folder / "ui" / "css").exists():
        return ""
    stamp = folder / "dist" / "sources.sha256"
    made_from = stamp.read_text(encoding="ascii").strip() if stamp.exists() else ""
    if made_from == fingerprint(folder / "ui"):
        return ""
    return "样式和脚本的源文件在打包以后改过，页面用的还是旧的。"


def fingerprint(sources: Path) -> str:
    """SHA-256 over name and content of every source, in the order of the names; `tools/stamp_assets.mjs` writes the same."""
    found = {
        path.relative_to(sources).as_posix(): path
        for path in sources.rglob("*")
        if path.suffix in (".css", ".js")
    }
    total = hashlib.sha256()
    for name in sorted(found):
        total.update(f"{name}\0".encode() + found[name].read_bytes() + b"\0")
    return total.hexdigest()
