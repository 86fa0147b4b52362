"""The forms of this app."""

from datetime import timedelta

from django import forms

from liangzhu.beams.people.registers.api import Mandate
from liangzhu.beams.people.residents.hooks import scopes_for
from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel.now import today
from liangzhu.kernel.ui.forms import DateField, Form

LONGEST = timedelta(days=3 * 366)
"""An online mandate is for three years at most: who trusts longer, says so again."""


class GiveMandateForm(Form):
    """Who may act for one, for what, until when."""

    agent_name = forms.CharField(
        label="对方姓名", max_length=60, widget=forms.TextInput({"autocomplete": "off"})
    )
    agent_number = forms.CharField(
        label="对方证件号码",
        max_length=40,
        help_text="姓名和号码要都相符；对方须先登录过一次本区门户。",
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="可以代办哪些业务",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="一项都不勾，就是全部事项。",
    )
    last_day = DateField(label="授权到哪天", help_text="这一天还有效；随时可以提前终止。")

    def __init__(self, *args, actor: Resident, **kwargs):
        super().__init__(*args, **kwargs)
        offered = scopes_for(actor)
        if offered:
            self.fields["scopes"].choices = offered
        else:
            del self.fields["scopes"]

    def clean_last_day(self):
        """Not in the past, and not for ever."""
        day = self.cleaned_data["last_day"]
        if day < today():
            raise forms.ValidationError("这一天已经过去了。")
        if day > today() + LONGEST:
            raise forms.ValidationError("最长三年；到期可以再授权。")
        return day

    def values(self, data: dict) -> dict:
        """What the action takes."""
        chosen = data.get("scopes") or []
        return {
            "agent_name": data["agent_name"],
            "agent_number": data["agent_number"],
            "scope_kind": Mandate.KINDS if chosen else Mandate.ALL,
            "scopes": " ".join(chosen),
            "valid_to": data["last_day"] + timedelta(days=1),
        }
