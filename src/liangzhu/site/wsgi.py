"""The WSGI application, served by granian."""

import os
from multiprocessing import parent_process

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liangzhu.site.settings")
application = get_wsgi_application()

from liangzhu.site import serving  # noqa: E402 - after the settings

serving.guard()
if parent_process() is not None:
    # A server process that outlives its main process would go on listening, and take its share of the requests.
    serving.end_with_parent()
