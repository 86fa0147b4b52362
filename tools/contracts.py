"""A contract for import-linter: another app is reached only through its front doors."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application import contract_utils


class FrontDoor(Contract):
    """Modules of an app may be imported from inside the app only, except its front doors.

    Options:
        containers:     packages whose direct children are apps.
        doors:          names of modules of an app that, with what lies under them, everybody may import.
        ignore_imports: exceptions, each with its reason beside it. One that is not needed fails.
    """

    type_name = "front_door"

    containers = fields.ListField(subfield=fields.StringField())
    doors = fields.SetField(subfield=fields.StringField())
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Walk every app and collect imports that came in through a wall."""
        removed = contract_utils.remove_ignored_imports_and_report(
            graph=graph,
            ignore_imports=self.ignore_imports,
            unmatched_alerting=contract_utils.AlertLevel.ERROR,
        )
        through_walls = []
        for container in self.containers:
            if container not in graph.modules:
                raise ValueError(f"Container '{container}' does not exist.")
            for app in sorted(graph.find_children(container)):
                inside = {app} | graph.find_descendants(app)
                for module in sorted(inside):
                    if self._is_door(app, module):
                        continue
                    for importer in sorted(graph.find_modules_that_directly_import(module) - inside):
                        details = graph.get_import_details(importer=importer, imported=module)
                        through_walls.append(
                            (importer, module, sorted(each["line_number"] for each in details))
                        )
        return ContractCheck(
            kept=not through_walls,
            warnings=list(removed.warnings),
            ignored_import_count=removed.ignored_import_count,
            metadata={"through_walls": through_walls},
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name importer, line and module, and what to do."""
        for importer, module, lines in check.metadata["through_walls"]:
            output.print_error(f"{importer} (l.{', '.join(map(str, lines))}) -> {module}", bold=False)
        doors = ", ".join(sorted(self.doors))
        output.print_error(
            f"Reach another app only through: {doors}. Re-export there what is promised.", bold=False
        )

    def _is_door(self, app: str, module: str) -> bool:
        rest = module.removeprefix(app).lstrip(".")
        return rest.split(".")[0] in self.doors
