"""The app of the benches; only `bench._settings` installs it."""

from liangzhu.kernel.apps import HouseApp


class BenchApp(HouseApp):
    """Kinds of matters for benches."""

    name = "bench._app"
    label = "bench"
    verbose_name = "测速"
