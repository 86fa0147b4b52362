"""The WSGI application, served by granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liangzhu.site.settings")
application = get_wsgi_application()

from liangzhu.site import serving  # noqa: E402 - after the settings

serving.guard()
