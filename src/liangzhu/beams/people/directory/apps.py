"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class DirectoryApp(HouseApp):
    """Units valid in time, persons, posts, roles, deputies."""

    name = "liangzhu.beams.people.directory"
    label = "directory"
    verbose_name = "机构与人员"
