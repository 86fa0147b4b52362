"""The log (日志): what was done, only ever added to, and provable to anybody.

`leaves` writes: only actions do (`Act.log`), and sign-in, which has no actor yet. `sequencer` numbers committed leaves
and extends the `tree`, `heads` signs it, `proofs` shows it to everybody, `verifying` goes over all of it.
"""

from liangzhu.kernel.log.heads import latest_head
from liangzhu.kernel.log.leaves import canonical, commit, holds, sm3, write_leaf
from liangzhu.kernel.log.proofs import consistency_proof, inclusion_proof, leaf_proof
from liangzhu.kernel.log.sequencer import NotSequenced, sequence_now, wait_for

__all__ = [
    "NotSequenced",
    "canonical",
    "commit",
    "consistency_proof",
    "holds",
    "inclusion_proof",
    "latest_head",
    "leaf_proof",
    "sequence_now",
    "sm3",
    "wait_for",
    "write_leaf",
]
