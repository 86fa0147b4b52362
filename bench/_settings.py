"""The product's settings with the benches' own kind of matter."""

from liangzhu.site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "bench._app"]  # noqa: F405
