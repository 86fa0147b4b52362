"""Values that come from registered sources (预填): each with its origin and time; a slow or failed one is named, never in the way.

An origin is ``{"source", "title", "at", "locked", "value"}``, or with ``"failed"`` instead of a value. The value that came
stays in it when the person corrects the field.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any

from liangzhu.beams.work.forms import registry, values
from liangzhu.beams.work.forms.grammar import Field, FormSpec
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref

logger = logging.getLogger("liangzhu.forms")
SLOW = "没有按时答复"
FAULT = "暂时取不到"

_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="prefill")


def ask(form: FormSpec, actor: Actor, subject: Ref | None, names: set[str] | None = None) -> dict[str, dict]:
    """Ask the sources of a form, or only those of some fields; field name to origin."""
    wanted = [
        one
        for _, one in form.all_fields()
        if one.prefill and one.prefill.source in registry.sources and (names is None or one.name in names)
    ]
    used = {one.prefill.source for one in wanted}
    remote = {
        name: _pool.submit(registry.sources[name].run, actor, subject)
        for name in used
        if registry.sources[name].remote
    }
    got = {name: _answer(registry.sources[name], remote.get(name), actor, subject) for name in used}
    return {one.name: _origin(one, got[one.prefill.source]) for one in wanted}


def _answer(
    source: registry.Source, waiting: Future | None, actor: Actor, subject: Ref | None
) -> dict[str, Any] | str:
    """What a source gives, or in words why it gives nothing."""
    try:
        found = waiting.result(timeout=source.seconds) if waiting else source.run(actor, subject)
    except Late:
        waiting.cancel()
        return SLOW
    except Problem as problem:
        return problem.detail.rstrip("。")
    except Exception:
        # Whatever a neighbour's register does, the person can still type. The fault is in the program's log, without values.
        logger.exception("source %s failed", source.name)
        return FAULT
    return found if isinstance(found, dict) else FAULT


def _origin(one: Field, answer: dict[str, Any] | str) -> dict:
    source = registry.sources[one.prefill.source]
    origin: dict[str, Any] = {"source": source.name, "title": source.title, "at": now().isoformat()}
    if isinstance(answer, str):
        return origin | {"failed": answer}
    try:
        value = values.read(one, answer.get(one.prefill.part))
    except ValueError:
        return origin | {"failed": "给出的内容不合这一项的格式"}
    if value is None:
        return origin | {"failed": "没有这一项的记录"}
    return origin | {"value": value, "locked": one.prefill.locked}


def kind(origin: dict | None, value: Any) -> str:
    """How a value stands to its origin: source, corrected, typed (自填), or "" for a field without a source."""
    if origin is None:
        return ""
    if "value" not in origin:
        return "typed"
    return "source" if value == origin["value"] else "corrected"
