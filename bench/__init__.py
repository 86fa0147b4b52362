"""Speed, measured beside what a user would use instead, or beside the physical limit, in one run.

``python -m bench.NAME [--quick] [--json]`` prints a table, and with ``--json`` one object as its last line.
"""
