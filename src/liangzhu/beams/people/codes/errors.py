"""What can be wrong with a code, each with what to do now. ``outcome`` is the code of `Scan.RESULTS`."""

from liangzhu.kernel.errors import Problem

SHOW_AGAIN = "请对方在手机上点“换一个新码”，再扫一次；没有手机或扫不成的，凭证件办理，不用回去。"
BY_DOCUMENT = "请核对本人证件原件，点“凭证件办理”，不让群众再跑；这次会记下原因。"


class CodeProblem(Problem):
    """A code that was not accepted. ``scan_id`` is the row that says so."""

    outcome = "unknown"
    scan_id: int | None = None


class CodeUnknown(CodeProblem):
    """Not a code, or of nobody that is known here."""

    code, title, status = "code_unknown", "不认识这个码", 422
    todo = "请核对扫的是服务码，不是证件号、健康码或网址；手输的逐位核对。也可以凭证件办理。"


class CodeNotAccepted(CodeUnknown):
    """The code of another province that is not taken here."""

    code, title = "code_not_accepted", "本区还不接收这种码"
    todo = "请对方改出示本省的服务码，或凭证件办理。"
    outcome = "not_accepted"


class CodeForged(CodeProblem):
    """The signature does not hold, or the province says that it never issued it."""

    code, title, status = "code_forged", "这个码不是真的", 409
    todo = "不要受理。请核对本人证件原件；本人确实无法出示真码的，凭证件办理，并报告本单位负责人。"
    outcome = "forged"


class CodeExpired(CodeProblem):
    """Its seconds are over."""

    code, title, status = "code_expired", "码已经过期", 410
    todo = SHOW_AGAIN
    outcome = "expired"


class CodeReplaced(CodeExpired):
    """A newer one was shown since, or the session in which it was shown is over: a photograph, a screenshot."""

    code, title = "code_replaced", "码已被新的代替，可能是截图或照片"
    todo = "请本人当面打开手机出示，不收截图和照片；本人没有到场的，请按代办出示授权。"
    outcome = "replaced"


class CodeUsed(CodeProblem):
    """It was scanned before."""

    code, title, status = "code_used", "这个码已经用过", 409
    todo = SHOW_AGAIN
    outcome = "used"


class CodeClock(CodeProblem):
    """It says that it was made in the future: one of the two clocks is wrong."""

    code, title, status = "code_clock", "时间对不上", 409
    todo = "请核对这台电脑和服务器的时间；对方刚换的码也这样，请联系系统管理员。急办的凭证件办理。"
    outcome = "clock"


class CodeEmpty(CodeProblem):
    """The province accepted the code and told nobody's name."""

    code, title, status = "code_empty", "省里没有返回持码人的信息", 502
    todo = BY_DOCUMENT
    outcome = "empty"


class IssuerDown(CodeProblem):
    """The province does not answer, or not in time. The code was not used up."""

    code, title, status = "issuer_down", "省里的验码服务没有回应", 503
    todo = BY_DOCUMENT
    outcome = "down"


class IssuerWrong(CodeProblem):
    """The province's answer does not fit what was asked. Nothing of it was taken."""

    code, title, status = "issuer_wrong", "省里的答复不合要求，没有采用", 502
    todo = BY_DOCUMENT
    outcome = "wrong"


class AgentRefused(CodeProblem):
    """The code is true, and its bearer may not act for whom it names."""

    code, title, status = "agent_refused", "不能代办这一件", 403
    todo = "请对方补办授权，或由本人来办；也可以先以经办人自己的名义咨询。"
    outcome = "agent"


class HolderRefused(CodeProblem):
    """The register says that the holder is dead or dissolved, or cannot take the number."""

    code, title, status = "holder_refused", "持码人的登记状态不能办理", 409
    todo = "请核对证件和登记；登记有误的，到登记窗口更正。"
    outcome = "holder"


class DeskNeeded(Problem):
    """The province must be told who asks, from which outlet and device; that is not set up for this person yet."""

    code, title, status = "desk_needed", "请先设置窗口", 409
    todo = "请在“窗口设置”里填写网点、设备和您的身份证号码（省里要求每次验码写明），一次就好。"


class NoIssuer(Problem):
    """Nobody issues codes here."""

    code, title, status = "no_issuer", "服务码还没有接通", 503
    todo = "本区尚未接通省里的服务码。办事请带身份证，窗口照常受理。"
