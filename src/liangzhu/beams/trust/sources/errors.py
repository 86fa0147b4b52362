"""What can stand between a question and its answer; each says what to do now."""

from liangzhu.kernel.errors import NotThere, Problem

VERIFY = "不用您提交：这一项由工作人员核验。也可以稍后再取一次。"


class SourceTrouble(Problem):
    """Nothing was read. ``outcome`` is the code of `Read.OUTCOMES`, ``receipt_id`` names the attempt."""

    outcome = ""
    receipt_id = ""


class SourceDown(SourceTrouble):
    """The source did not answer, or not in time; ``paused``: it was not even asked, because it was down a moment ago."""

    code, title, status = "source_down", "来源没有答复", 503
    todo = VERIFY
    outcome = "down"

    def __init__(self, detail: str = "", *, paused: bool = False, **kwargs):
        super().__init__(detail, **kwargs)
        self.paused = paused
        if paused:
            self.outcome = "paused"


class SourceWrong(SourceTrouble):
    """The answer does not fit what the source declares, or its signature is wrong. Nothing of it was taken."""

    code, title, status = "source_wrong", "来源的答复不合要求", 502
    todo = VERIFY
    outcome = "wrong"


class NothingHeld(SourceTrouble):
    """The source has no record of this person or organisation."""

    code, title, status = "nothing_held", "来源没有这项记录", 404
    todo = "请核对身份信息；确有其事的，由工作人员向登记单位核实，或者您自己填写。"
    outcome = "nothing"


class NoConsent(SourceTrouble):
    """Nobody agreed to this reading, and no law that was named allows it without."""

    code, title, status = "no_consent", "没有本人同意", 403
    todo = "请在办理页面同意读取后再取；也可以不同意，自己填写或提交材料。"
    outcome = "refused"


class NotAllowed(SourceTrouble):
    """The reader may not read this for this case."""

    code, title, status = "pull_denied", "不能为这件事读取", 403
    todo = "只有正在办理这件事的人可以读取；请从事项页面进入。"
    outcome = "refused"


class UnknownSource(NotThere):
    """No source of that name."""

    code, title = "unknown_source", "没有这个来源"
    todo = "可用的来源见“数据来源”页面；城市数据交换的来源要在设置里启用。"
