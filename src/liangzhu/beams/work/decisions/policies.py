"""Who may do what with decision tables. Who releases one is `kernel.release`."""

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy


@policy("decisions.read", "查看决策表")
def read(actor: Actor, target=None) -> bool:
    """All staff: by which rule a case is decided is no secret."""
    return actor.signed_in
