"""Named errors. Each says what happened and what to do now; pages, API and command line show the same words."""


class Problem(Exception):
    """Something a person can understand and act on.

    ``code`` is stable and machine-readable, ``title`` short, ``detail`` says what happened, ``todo`` what to do now,
    ``status`` is the HTTP status, ``headers`` go with it. On the API it becomes an RFC 9457 problem document.
    """

    code = "problem"
    title = "未能办理"
    todo = "请核对后重试；仍不行时请联系系统管理员。"
    status = 400
    headers: dict[str, str] = {}

    def __init__(self, detail: str = "", *, code: str = "", title: str = "", todo: str = "", status: int = 0):
        self.detail = detail or self.title
        self.code = code or self.code
        self.title = title or self.title
        self.todo = todo or self.todo
        self.status = status or self.status
        super().__init__(self.detail)

    def as_json(self) -> dict:
        """The problem document of RFC 9457."""
        return {
            "type": f"urn:liangzhu:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "todo": self.todo,
        }


class Denied(Problem):
    """The person may not do this."""

    code, title, status = "denied", "没有权限", 403
    todo = "请切换到有权限的岗位，或请本单位负责人办理。"


class NotThere(Problem):
    """No such thing, or none that this person may see: the two are not told apart on purpose."""

    code, title, status = "not_there", "没有找到", 404
    todo = "请核对编号；它也可能不在您的查看范围内。"


class Invalid(Problem):
    """What was entered cannot be accepted; ``fields`` maps field name to message ("" is the form as a whole)."""

    code, title, status = "invalid", "填写有误", 422
    todo = "请按提示修改后再提交，已填写的内容都保留着。"

    def __init__(self, fields: dict[str, str] | str, **kwargs):
        self.fields = {"": fields} if isinstance(fields, str) else dict(fields)
        super().__init__("；".join(self.fields.values()), **kwargs)

    def as_json(self) -> dict:
        """The problem document, with the fields named."""
        return super().as_json() | {"errors": self.fields}


class Conflict(Problem):
    """Somebody else changed the same thing meanwhile. ``detail`` says who did what, and when."""

    code, title, status = "conflict", "刚刚有人先办了一步", 409
    todo = "您填写的内容还在。请看过最新情况，再决定是否继续提交。"


class StepNotAllowed(Problem):
    """The step is not possible in the present state."""

    code, title, status = "step_not_allowed", "当前状态不能办理这一步", 409
    todo = "请刷新页面，查看现在可以办理的步骤。"


class AlreadyDone(Problem):
    """The same form was sent before; nothing was done twice. ``result`` is the Ref of what the first sending made."""

    code, title, status = "already_done", "这份表单已经提交过", 409
    todo = "没有重复办理，可以直接查看结果。"

    def __init__(self, result: str = "", **kwargs):
        self.result = result
        super().__init__("这份表单已经提交过，没有重复办理。", **kwargs)


class TooLarge(Problem):
    """A file or text beyond the limit."""

    code, title, status = "too_large", "文件过大", 413
    todo = "请压缩或拆分后重新上传。"


class BadFile(Problem):
    """A file that is damaged, or is not what it says."""

    code, title, status = "bad_file", "文件无法接收", 415
    todo = "请检查文件能否正常打开，换用支持的格式后重新上传。"
