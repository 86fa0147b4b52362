"""Generating: nobody in a made-up district asks why his data was read."""

from liangzhu.beams.trust.sources.processes import KIND
from liangzhu.beams.work.matters import generators as matters


@matters.generates
class QuestionRecipe(matters.Recipe):
    """查阅疑问: none, because each is about a reading that took place, and its page shows that one."""

    kind = KIND
    share = 0
