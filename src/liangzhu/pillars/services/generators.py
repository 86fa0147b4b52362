"""Generating: a made-up district has no applications, policies or ratings; their pages show what somebody wrote, and nobody did."""

from liangzhu.beams.work.matters import generators as matters
from liangzhu.pillars.services import incentive_processes, rating_processes
from liangzhu.pillars.services.processes import APPLICATION, CASE_KINDS


class _None(matters.Recipe):
    share = 0


for _kind in (APPLICATION, *CASE_KINDS, *incentive_processes.KINDS, *rating_processes.KINDS):
    matters.generates(type(f"Recipe_{_kind}", (_None,), {"kind": _kind}))
