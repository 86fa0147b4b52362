"""Liangzhu (梁柱): a district's digital government as one program."""

__version__ = "0.2.0.dev0"
