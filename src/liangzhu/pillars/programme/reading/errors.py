"""Why a file could not be read as a plan: every error says what is wrong and what to do, in Chinese."""


class ReadingError(ValueError):
    """A file that cannot be read as a plan; ``code`` for programs, ``message`` and ``todo`` for people."""

    code = "reading"
    message = "这份文件读不出来。"
    todo = "请另存为 .docx 或 .txt 后重新上传。"

    def __init__(self, message: str = "", todo: str = "") -> None:
        self.message = message or self.message
        self.todo = todo or self.todo
        super().__init__(f"{self.message}{self.todo}")


class UnreadablePath(ReadingError):
    """The path does not lead to a readable file."""

    code = "unreadable_path"
    message = "文件打不开。"
    todo = "请确认文件还在原处，并且有读取权限。"


class EmptyFile(ReadingError):
    """No bytes, or no character besides white space."""

    code = "empty"
    message = "文件是空的，没有任何文字。"
    todo = "请检查是否选错了文件，或重新导出后上传。"


class TooLarge(ReadingError):
    """More than 20 MB, or a document that unpacks to far more than a plan can be."""

    code = "too_large"
    message = "文件超过 20 MB。"
    todo = "方案正文一般不到 1 MB：请去掉图片和附件，只上传正文。"


class DamagedFile(ReadingError):
    """A .docx or .pdf whose structure is broken."""

    code = "damaged"
    message = "文件已损坏，无法打开。"
    todo = "请用 Word、WPS 或 PDF 阅读器试着打开；能打开就另存一份再上传，打不开请重新索取原件。"


class PasswordProtected(ReadingError):
    """A .pdf or Office file that opens only with a password."""

    code = "password"
    message = "文件设了打开密码。"
    todo = "请先去掉密码（另存为不加密的文件）再上传。"


class NoTextLayer(ReadingError):
    """A .pdf made of page images only (扫描件)."""

    code = "no_text_layer"
    message = "这份 PDF 是扫描件，里面只有图片，没有文字。"
    todo = "请上传 Word 原件，或先用文字识别（OCR）软件转成带文字的 PDF、.docx 或 .txt。"


class UnknownFormat(ReadingError):
    """Neither text nor .docx nor .html nor .pdf."""

    code = "unknown_format"
    message = "不认识这种文件格式。"
    todo = "请另存为 .docx（或 .txt、.html、带文字的 .pdf）后上传。"


class UndecodableText(ReadingError):
    """Bytes that are no text in any supported encoding, or text that was already garbled (乱码)."""

    code = "undecodable"
    message = "文字编码无法识别，读出来是乱码。"
    todo = "请用记事本打开，另存为“UTF-8”编码后重新上传。"


class NotAPlan(ReadingError):
    """Readable text that is not a plan with tasks; ``reasons`` lists what was looked for and not found."""

    code = "not_a_plan"
    todo = "请上传带有编号条目和责任单位的实施方案、行动计划、意见或任务分工表；若确实是，请检查编号和“责任单位”是否丢失。"

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__(f"这份文件不像工作方案：{'；'.join(reasons)}。")
