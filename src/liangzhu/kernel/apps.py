"""App configurations: every app of the house loads its shelves by the same names."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate

SHELVES = (
    "policies",
    "events",
    "queries",
    "actions",
    "calendar",
    "keyring",
    "forgotten",
    "releases",
    "outbox",
    "handlers",
    "indicators",
    "processes",
    "http",
    "nav",
)


class HouseApp(AppConfig):
    """An app of the house. Its label is its folder's name; the shelves it has are imported when Django is ready."""

    default_auto_field = "django.db.models.BigAutoField"
    # Django counts an imported base class among the candidates of an apps.py; this one is nobody's app.
    default = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.default = True

    def ready(self) -> None:
        """Import the shelves, so that registries are complete before the first request."""
        for shelf in SHELVES:
            if find_spec(f"{self.name}.{shelf}"):
                import_module(f"{self.name}.{shelf}")


class KernelApp(HouseApp):
    """The kernel as a Django app: log, outbox, releases, calendar."""

    name = "liangzhu.kernel"
    label = "kernel"
    verbose_name = "内核"

    def ready(self) -> None:
        """Also: a database that was just built, or emptied, gets its keys."""
        super().ready()
        post_migrate.connect(_make_first_keys, sender=self)


def _make_first_keys(using: str, **given) -> None:
    from liangzhu.kernel import keys

    # Migrating backwards ends without the table.
    if using == DEFAULT_DB_ALIAS and "kernel_key" in connection.introspection.table_names():
        keys.make_first_keys()
