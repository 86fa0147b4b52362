"""Values that come from registered sources (预填): each with its origin and time; a slow or failed one is named, never in the way.

An origin is ``{"source", "title", "at", "locked", "value"}``, with the "url" of what proves it where there is one, or with ``"failed"`` instead of a value. The value that came
stays in it when the person corrects the field.
"""

import inspect
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
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
    """Ask the sources of a form, or only those of some fields; field name to origin. Outside of a transaction."""
    wanted = [
        one
        for _, one in form.all_fields()
        if one.prefill and one.prefill.source in registry.sources and (names is None or one.name in names)
    ]
    parts: dict[str, list[str]] = {}
    for one in wanted:
        parts.setdefault(one.prefill.source, []).append(one.prefill.part)
    begun = {name: _begin(registry.sources[name], actor, subject, asked) for name, asked in parts.items()}
    got = {name: _answer(registry.sources[name], how, actor, subject) for name, how in begun.items()}
    return {one.name: _origin(one, got[one.prefill.source]) for one in wanted}


@dataclass
class _Asked:
    """A source that is being asked: what waits in a thread, and the generator that goes on with it, if it is one."""

    waiting: Future | None = None
    steps: Generator | None = None
    done: registry.Answer | str | None = None


def _begin(source: registry.Source, actor: Actor, subject: Ref | None, parts: list[str]) -> _Asked:
    """Begin with what can go on beside the others."""
    if not inspect.isgeneratorfunction(source.run):
        return _Asked(_pool.submit(source.run, actor, subject) if source.remote else None)
    steps = source.run(actor, subject, list(dict.fromkeys(parts)))
    asked = _Asked(steps=steps)
    asked.done = _told(source, lambda: _next(asked, lambda: next(steps)))
    return asked


def _next(asked: _Asked, go: Callable) -> registry.Answer | dict | None:
    """Let a generator go on: to what is to run in the thread, or to its answer."""
    try:
        asked.waiting = _pool.submit(go())
    except StopIteration as end:
        return end.value
    return None


def _answer(
    source: registry.Source, asked: _Asked, actor: Actor, subject: Ref | None
) -> registry.Answer | str:
    """What a source gives, or in words why it gives nothing."""
    if asked.done is not None:
        return asked.done
    if asked.steps is None:
        return _told(
            source,
            lambda: (
                asked.waiting.result(timeout=source.seconds) if asked.waiting else source.run(actor, subject)
            ),
            asked.waiting,
        )
    try:
        came = asked.waiting.result(timeout=source.seconds)
    except Exception as fault:
        trouble = fault
        asked.waiting.cancel()
        found = _told(source, lambda: _next(asked, lambda: asked.steps.throw(trouble)))
    else:
        found = _told(source, lambda: _next(asked, lambda: asked.steps.send(came)))
    asked.steps.close()
    return FAULT if found is None else found


def _told(
    source: registry.Source, run: Callable, waiting: Future | None = None
) -> registry.Answer | str | None:
    """What a call gives as an answer; in words why it gives nothing; None when it has not come to its end."""
    try:
        found = run()
    except Late:
        if waiting:
            waiting.cancel()
        return SLOW
    except Problem as problem:
        return problem.detail.rstrip("。")
    except Exception:
        # Whatever a neighbour's register does, the person can still type. The fault is in the program's log, without values.
        logger.exception("source %s failed", source.name)
        return FAULT
    if isinstance(found, registry.Answer) or found is None:
        return found
    return registry.Answer(found) if isinstance(found, dict) else FAULT


def _origin(one: Field, answer: registry.Answer | str) -> dict:
    source = registry.sources[one.prefill.source]
    origin: dict[str, Any] = {"source": source.name, "title": source.title, "at": now().isoformat()}
    if isinstance(answer, str):
        return origin | {"failed": answer}
    if answer.title:
        origin["title"] = answer.title
    try:
        value = values.read(one, answer.values.get(one.prefill.part))
    except ValueError:
        return origin | {"failed": "给出的内容不合这一项的格式"}
    if value is None:
        return origin | {"failed": "没有这一项的记录"}
    return (
        origin | {"value": value, "locked": one.prefill.locked} | ({"url": answer.url} if answer.url else {})
    )


def kind(origin: dict | None, value: Any) -> str:
    """How a value stands to its origin: source, corrected, typed (自填), or "" for a field without a source."""
    if origin is None:
        return ""
    if "value" not in origin:
        return "typed"
    return "source" if value == origin["value"] else "corrected"
