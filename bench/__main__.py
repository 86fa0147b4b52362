"""Run every bench, one after the other: ``python -m bench [--quick]``."""

import pkgutil
import subprocess
import sys

import bench

names = sorted(
    module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")
)
failed = [
    name
    for name in names
    if subprocess.run([sys.executable, "-m", f"bench.{name}", *sys.argv[1:]]).returncode
]
sys.exit(f"失败：{'、'.join(failed)}" if failed else 0)
