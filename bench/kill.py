"""Kill the served product 300 times under load and count what was lost or done twice (it must be nothing).

    python -m bench.kill [--quick] [--json] [--kills N] [--database ADDRESS] [--state FOLDER]

Goes on where it was ended: the state folder (var/kill) holds the installation, the seed of every round and the count so
far; remove it to begin anew. `--quick` does as many kills as fit into 45 seconds, in a folder of its own. Without
`--database` the installation is on SQLite.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import killing  # noqa: E402

from bench._report import Row, show  # noqa: E402

ROUND = 25
"""Kills between two looks: what is wrong is known to within that many."""

QUICK_SECONDS = 15
"""Load and kills of a quick run; preparing, starting, settling and looking take the rest of the 45."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="end within 45 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL database")
    parser.add_argument("--state", type=Path, default=ROOT / "var" / "kill")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="liangzhu-kill-")) if arguments.quick else arguments.state
    folder.mkdir(parents=True, exist_ok=True)
    try:
        state = _go(folder, arguments)
    finally:
        if arguments.quick:
            shutil.rmtree(folder, ignore_errors=True)
    show(
        f"{state['kills']} kills of server and workers under load",
        [Row("changes accepted over HTTP", state["accepted"] / max(state["seconds"], 0.1))],
        arguments,
        kills=state["kills"],
        accepted=state["accepted"],
        unanswered=state["broken"],
        wrong=len(state["wrong"]),
    )
    for line in state["wrong"]:
        print(f"  WRONG {line}")
    sys.exit(1 if state["wrong"] else 0)


def _go(folder: Path, arguments: argparse.Namespace) -> dict:
    file = folder / "state.json"
    state = {"seed": time.monotonic_ns() % 1_000_000, "round": 0, "kills": 0, "accepted": 0}
    state |= {"broken": 0, "seconds": 0.0, "wrong": [], "told": {}}
    state |= {"running": "", "interrupted": []}
    if file.exists():
        state = json.loads(file.read_text())
    if state["running"]:
        state["interrupted"].append(state["running"])
        state["round"] += 1
    house = killing.House(folder / "home", arguments.database)
    while state["kills"] < arguments.kills and not state["wrong"]:
        seed = state["seed"] + state["round"]
        print(
            f"round {state['round']}, seed {seed}, {state['kills']} of {arguments.kills} kills so far",
            flush=True,
        )
        begin = time.monotonic()
        state["running"] = f"kill-{state['seed']}-{state['round']}"
        file.write_text(json.dumps(state, ensure_ascii=False))
        tally, counts = killing.run(
            house,
            kills=min(ROUND, arguments.kills - state["kills"]),
            seed=seed,
            label=state["running"],
            seconds=QUICK_SECONDS if arguments.quick else 3600,
        )
        state["seconds"] += time.monotonic() - begin
        # Everything that was ever accepted is looked for again, not only that of this round.
        state["told"] |= tally.accepted
        told = killing.Tally(state["told"], tally.unsure, state["interrupted"])
        state["wrong"] = house.look(told)
        state["round"], state["running"] = state["round"] + 1, ""
        state["kills"] += sum(counts.values())
        state["accepted"] = len(state["told"])
        state["broken"] += tally.broken
        file.write_text(json.dumps(state, ensure_ascii=False))
        print(f"  {counts}, {len(tally.accepted)} accepted, {len(state['wrong'])} wrong", flush=True)
        if arguments.quick:
            break
    return state


if __name__ == "__main__":
    main()
