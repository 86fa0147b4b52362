"""The log (日志): what was done, only ever added to, and provable to anybody.

`leaves` writes: only actions do (`Act.log`), and sign-in, which has no actor yet.
"""

from liangzhu.kernel.log.leaves import canonical, commit, holds, sm3, write_leaf

__all__ = ["canonical", "commit", "holds", "sm3", "write_leaf"]
