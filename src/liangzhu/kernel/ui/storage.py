"""Addresses of static files that carry a hash of their content, so that browsers may keep them for good."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class HashedStorage(StaticFilesStorage):
    """``dist/ui.css`` is ``/static/dist/ui.css?v=`` and ten digits of the SHA-256 of its content."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._known: dict[str, str] = {}

    def url(self, name: str | None) -> str:
        """The address; one of a file that is not there, or of a folder, stays as it is."""
        if not name or settings.DEBUG:
            return super().url(name)
        if name not in self._known:
            found = finders.find(name)
            mark = f"?v={hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10]}" if found else ""
            self._known[name] = super().url(name) + mark
        return self._known[name]
