"""The app that carries templates, tags and static files of the look."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The look (界面)."""

    name = "liangzhu.kernel.ui"
    label = "ui"
    verbose_name = "界面"
