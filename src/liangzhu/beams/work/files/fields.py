"""A form field for files that are kept at once, even when something else in the form is still wrong."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from liangzhu.beams.work.files import actions, queries
from liangzhu.beams.work.files.kinds import KINDS
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem


class StagedFilesWidget(forms.Widget):
    """The files kept so far, each with a box to leave it out again, and a control for more."""

    template_name = "files/staged.html"
    needs_multipart_form = True

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs)
        self.staged: list = []
        self.accept = ""

    def value_from_datadict(self, data: Any, files: MultiValueDict, name: str) -> tuple[list[str], list]:
        """(ids still wanted, files new in this request)."""
        kept = data.getlist(f"{name}_kept") if hasattr(data, "getlist") else data.get(f"{name}_kept", [])
        new = files.getlist(name) if hasattr(files, "getlist") else files.get(name, [])
        return list(kept), list(new)

    def value_omitted_from_data(self, data: Any, files: MultiValueDict, name: str) -> bool:
        """Never: no file is an answer too."""
        return False

    def get_context(self, name: str, value: Any, attrs: dict | None) -> dict:
        """What the template shows."""
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"staged": self.staged, "accept": self.accept}
        return context


class StagedFilesField(forms.Field):
    """Files of a form; the cleaned value is a list of attachment ids. The form sets ``actor`` before it
    validates.

        self.fields["files"].actor = request.actor

    ``kinds`` narrows what is accepted (keys of `kinds.KINDS`), ``max_files`` how many.
    """

    widget = StagedFilesWidget
    actor: Actor | None = None

    def __init__(self, *, kinds: Iterable[str] | None = None, max_files: int = 20, **kwargs):
        super().__init__(**kwargs)
        self.kinds = tuple(kinds) if kinds is not None else None
        self.max_files = max_files
        chosen = [KINDS[key] for key in (self.kinds or KINDS)]
        self.widget.accept = ",".join(f".{one}" for kind in chosen for one in kind.extensions)
        self.error_messages.setdefault("required", "请上传文件。")

    def clean(self, value: tuple[list[str], list] | None) -> list[int]:
        """Keep what is new; what was refused is named, what was kept stays kept. Raises ValidationError."""
        if self.actor is None:
            raise TypeError("StagedFilesField needs `actor` before it is cleaned")
        kept, new = value or ([], [])
        rows = queries.staged(self.actor, [int(one) for one in kept if str(one).isdecimal()])
        refused = []
        for upload in new:
            if len(rows) >= self.max_files:
                refused.append(f"最多上传 {self.max_files} 个文件，“{upload.name}”没有收。")
                continue
            try:
                rows.append(actions.stage(self.actor, upload=upload, kinds=self.kinds))
            except Problem as problem:
                refused.append(f"{problem.detail}{problem.todo}")
        self.widget.staged = rows
        if refused:
            raise ValidationError(refused)
        if self.required and not rows:
            raise ValidationError(self.error_messages["required"], code="required")
        return [row.pk for row in rows]
