"""Process files as TOML text: read with the standard library, written in the way that people write them.

Top tables and the rows of arrays of tables stand as blocks, everything inside them on one line, so that a fault can be
named with its line.
"""

import json
import re
import tomllib

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLOCKS = {"parties", "states", "clocks", "parts", "transitions", "timers", "triggers", "children", "opening"}


def loads(text: str) -> dict:
    """The tables of a text. Raises tomllib.TOMLDecodeError."""
    return tomllib.loads(text)


def dumps(raw: dict) -> str:
    """The text of a process file. Values are strings, numbers, true and false, lists and tables of them."""
    return "\n".join(_table(raw, [])).strip() + "\n"


def _table(body: dict, path: list[str]) -> list[str]:
    """A table: plain values first, then the blocks below it."""
    blocks = {key: value for key, value in body.items() if _is_block(key, value, path)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in body.items() if key not in blocks]
    for key, value in blocks.items():
        here = [*path, _key(key)]
        if isinstance(value, list):
            for row in value:
                lines += ["", f"[[{'.'.join(here)}]]", *_table(row, here)]
        elif _holds_tables(key):
            if not value:
                lines += ["", f"[{'.'.join(here)}]"]
            for name, row in value.items():
                lines += ["", f"[{'.'.join([*here, _key(name)])}]", *_table(row, [*here, _key(name)])]
        else:
            lines += ["", f"[{'.'.join(here)}]", *_table(value, here)]
    return lines


def _is_block(key: str, value: object, path: list[str]) -> bool:
    """Blocks stand at the top and in each kind of part, nowhere deeper."""
    if key not in _BLOCKS or len(path) not in (0, 2) or (path and path[0] != "parts"):
        return False
    rows = value if isinstance(value, list) else [value]
    return bool(rows) and all(isinstance(row, dict) for row in rows)


def _holds_tables(key: str) -> bool:
    return key not in ("parties", "opening")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's; DEL is the one character that JSON leaves bare and TOML does not.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"{type(value).__name__} cannot stand in a process file")
