"""Entries in the workbench's rail."""

from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    label="表单",
    url="forms:home",
    order=12,
    policy="forms.fill",
    icon="document",
)
nav(
    face="workbench",
    group="制度",
    label="表单定义",
    url="forms:kinds",
    order=803,
    policy="forms.read",
    icon="edit",
)
