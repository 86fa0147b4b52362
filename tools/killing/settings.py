"""The product's settings with one more app: a process to step through and handlers that count."""

from liangzhu.site.settings import *  # noqa: F403
from liangzhu.site.settings import INSTALLED_APPS as _apps

INSTALLED_APPS = ["killing.app.Killing", *_apps]
