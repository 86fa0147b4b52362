"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class FilesApp(HouseApp):
    """Attachments, named by their fingerprint."""

    name = "liangzhu.beams.work.files"
    label = "files"
    verbose_name = "附件"
