"""The front door of this app."""

from liangzhu.beams.people.applications.actions import make_secret, register, review
from liangzhu.beams.people.applications.declared import Declared
from liangzhu.beams.people.applications.models import DepartmentApplication

__all__ = ["Declared", "DepartmentApplication", "make_secret", "register", "review"]
