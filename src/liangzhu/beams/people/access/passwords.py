"""Rules for passwords, in our own words where Django's have no Chinese."""

from django.contrib.auth.password_validation import MinimumLengthValidator


class MinimumLength(MinimumLengthValidator):
    """At least ``min_length`` characters."""

    def get_error_message(self) -> str:
        """What to do about a password that is too short."""
        return f"密码太短，至少要 {self.min_length} 个字符。"

    def get_help_text(self) -> str:
        """The rule beside the field."""
        return f"密码至少要 {self.min_length} 个字符。"
