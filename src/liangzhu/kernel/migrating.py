"""For migrations: several tables at once."""

from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation


class CreateModels(Operation):
    """Make several tables, and render the models once.

    After each `CreateModel` Django renders anew every model that is related to it through others, which here are nearly all:
    what a fresh installation takes would grow with the square of the number of tables.
    """

    reduces_to_sql = True

    def __init__(self, *models: CreateModel):
        self.models = models

    def deconstruct(self):
        """For squashing."""
        return type(self).__name__, list(self.models), {}

    def describe(self) -> str:
        """One line for who migrates."""
        return f"Create models {', '.join(one.name for one in self.models)}"

    def state_forwards(self, app_label: str, state) -> None:
        """The models as they are afterwards."""
        # What was rendered is dropped: with it, each model that is added would be rendered at once.
        state.__dict__.pop("apps", None)
        for one in self.models:
            one.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor, from_state, to_state) -> None:
        """Make the tables in their order."""
        for one in self.models:
            one.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor, from_state, to_state) -> None:
        """Drop them, the last first."""
        for one in reversed(self.models):
            one.database_backwards(app_label, schema_editor, from_state, to_state)
