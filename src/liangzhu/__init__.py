"""Liangzhu (梁柱): a district's digital government as one program."""

__version__ = "0.1.0"
