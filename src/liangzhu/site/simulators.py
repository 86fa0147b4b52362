"""The simulators of all adapters: each stands in its adapter's ``simulator.py`` as ``SIMULATOR``. Works without Django."""

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from liangzhu.kernel.simulating import Simulator, listen
from liangzhu.site import config, serving

ADAPTERS = Path(__file__).resolve().parents[1] / "adapters"


def all_simulators() -> dict[str, Simulator]:
    """Every simulator by name. Nobody imports an adapter by name: what stands in the folder is found."""
    found = {}
    for file in sorted(ADAPTERS.glob("*/simulator.py")):
        one: Simulator = import_module(f"liangzhu.adapters.{file.parent.name}.simulator").SIMULATOR
        found[one.name] = one
    return found


def run(one: Simulator, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve a simulator until a signal ends it. Raises NotLoopback, PortTaken."""
    app = one.make(config.read("LIANGZHU_PACK"))
    if serving.is_loopback(host):
        serving.require_free_port(host, port)
    with listen(app, host, port) as server:

        def stop(*given: object) -> None:
            app.stopping.set()
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, stop)
        address = f"http://{host}:{port}"
        say(f"{one.title}（模拟）已启动：{address}，设置在 {address}/config")
        for name, value in one.environ(address).items():
            say(f"  {name}={value}")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            app.stopping.set()


def beside(avoid: int) -> list[list[str]]:
    """The commands that run the simulators beside a demonstration, one for each neighbour that is not set up otherwise.

    The settings by which the product finds them are put into the environment, where the processes started next read them.
    """
    commands, taken = [], {avoid}
    for one in all_simulators().values():
        wanted = one.environ("http://127.0.0.1")
        if any(os.environ.get(name) for name in wanted):
            continue
        port = next(port for port in range(one.port, 65536) if port not in taken and _is_free(port))
        taken.add(port)
        os.environ.update(one.environ(f"http://127.0.0.1:{port}"))
        command = ["simulate", one.name, "--port", str(port), "--quiet"]
        commands.append([sys.executable, "-m", "liangzhu.site.cli", *command])
    return commands


def _is_free(port: int) -> bool:
    try:
        serving.require_free_port("127.0.0.1", port)
    except serving.PortTaken:
        return False
    return True
