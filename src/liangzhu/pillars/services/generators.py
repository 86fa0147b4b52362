"""Generating: a made-up district has no applications; their pages show what a resident filled in, and nobody did."""

from liangzhu.beams.work.matters import generators as matters
from liangzhu.pillars.services.processes import CASE_KINDS


class _None(matters.Recipe):
    share = 0


for _kind in ("service_application", *CASE_KINDS):
    matters.generates(type(f"Recipe_{_kind}", (_None,), {"kind": _kind}))
