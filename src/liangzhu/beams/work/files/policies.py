"""Who may do what with files."""

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy


@policy("files.upload", "上传附件")
def upload(actor: Actor, target=None) -> bool:
    """Staff and residents; what it may be attached to is decided by the app that owns the subject."""
    return actor.identified


@policy("files.download", "下载附件")
def download(actor: Actor, target=None) -> bool:
    """Staff and residents; which files, `queries.attachment` decides row by row."""
    return actor.identified


@policy("files.sweep", "清理未使用的附件")
def sweep(actor: Actor, target=None) -> bool:
    """Timers only."""
    return actor.is_system
