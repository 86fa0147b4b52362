"""The icons of the house: drawn for it, 20 by 20, one stroke. They stand beside words and never alone carry a meaning."""

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_PATHS = {
    "home": "M3 9.5 10 3.5l7 6M5 8.5V16.5h3.5v-4.5h3v4.5H15V8.5",
    "inbox": "M3 11.5h4l1.2 2h3.6l1.2-2h4M3 11.5 5.5 4h9l2.5 7.5v4.5H3z",
    "search": "M8.75 14a5.25 5.25 0 1 0 0-10.5 5.25 5.25 0 0 0 0 10.5zM12.6 12.6 17 17",
    "bell": "M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.5 17.5h3",
    "person": "M10 9.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5zM3.5 17c.5-3.5 3-5 6.5-5s6 1.5 6.5 5",
    "people": "M7.5 9a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM2 16c.4-3 2.5-4.5 5.5-4.5S12.6 13 13 16"
    "M13 3.8a2.6 2.6 0 0 1 0 5M14.8 11.8c1.9.6 3 2.1 3.2 4.2",
    "unit": "M3 17V7.5L10 3l7 4.5V17M2 17h16M7 17v-6h6v6M7 8h6",
    "check": "M4 10.5 8.2 14.5 16 5.5",
    "info": "M10 17.25a7.25 7.25 0 1 0 0-14.5 7.25 7.25 0 0 0 0 14.5zM10 9v5M10 6.2v.6",
    "warn": "M10 3 18 16.5H2zM10 8v4M10 13.8v.6",
    "error": "M6.8 2.75h6.4l4.05 4.05v6.4l-4.05 4.05H6.8L2.75 13.2V6.8zM10 6.5v4.5M10 13v.6",
    "close": "M4.5 4.5l11 11M15.5 4.5l-11 11",
    "menu": "M3 5.5h14M3 10h14M3 14.5h14",
    "more": "M4.5 10h.6M9.7 10h.6M14.9 10h.6",
    "down": "M5 7.5l5 5 5-5",
    "right": "M7.5 5l5 5-5 5",
    "left": "M12.5 5l-5 5 5 5",
    "back": "M9 4.5 3.5 10 9 15.5M3.5 10H17",
    "forward": "M11 4.5 16.5 10 11 15.5M16.5 10H3",
    "external": "M8 4H4v12h12v-4M11 3.5h5.5V9M16 4l-7 7",
    "document": "M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5M7.5 13h5",
    "file": "M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5",
    "clip": "M14.5 8.5 9 14a2.3 2.3 0 0 1-3.3-3.3l6-6a3.5 3.5 0 0 1 5 5l-6.2 6.2",
    "folder": "M2.5 5h5l1.5 2h8.5v9h-15z",
    "calendar": "M3 4.5h14V17H3zM3 8h14M7 2.5V6M13 2.5V6",
    "clock": "M10 17.25a7.25 7.25 0 1 0 0-14.5 7.25 7.25 0 0 0 0 14.5zM10 6v4.2l3 1.8",
    "history": "M3.2 8A7.25 7.25 0 1 1 3 11.5M3 4v4h4M10 6.5v4l2.8 1.6",
    "download": "M10 3v9.5M6 9l4 4 4-4M3.5 16.5h13",
    "upload": "M10 13V3.5M6 7l4-4 4 4M3.5 16.5h13",
    "print": "M6 7V3h8v4M6 14H3V7h14v7h-3M6 11.5h8V17H6z",
    "copy": "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
    "link": "M8.5 11.5a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1",
    "lock": "M4.5 9h11v8h-11zM7 9V6.5a3 3 0 0 1 6 0V9M10 12v2",
    "key": "M7 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10.5 10H17.5v3M14.5 10v2",
    "shield": "M10 2.5 16.5 5v5c0 4-2.8 6.3-6.5 7.5C6.3 16.3 3.5 14 3.5 10V5zM7 10l2.2 2.2L13 8",
    "out": "M12 3.5H4v13h8M8.5 10H17.5M14 6.5l3.5 3.5-3.5 3.5",
    "switch": "M4 7h12M13 4l3 3-3 3M16 13H4M7 10l-3 3 3 3",
    "plus": "M10 4v12M4 10h12",
    "edit": "M4 16l.8-3.8L13 4l3 3-8.2 8.2zM11 6l3 3",
    "trash": "M3.5 5.5h13M8 5.5V3.5h4v2M5.5 5.5 6.3 17h7.4l.8-11.5M8.5 8.5v5.5M11.5 8.5v5.5",
    "filter": "M3 5h14M5.5 10h9M8 15h4",
    "chart": "M3.5 3v13.5H17M6.5 13l3-4 2.5 2.5L16 6",
    "list": "M7 5h10M7 10h10M7 15h10M3.2 5h.6M3.2 10h.6M3.2 15h.6",
    "map": "M2.5 5l5-2 5 2 5-2v12l-5 2-5-2-5 2zM7.5 3v12M12.5 5v12",
    "place": "M10 17.5S4.5 12 4.5 8a5.5 5.5 0 0 1 11 0c0 4-5.5 9.5-5.5 9.5zM10 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
    "phone": "M4 3h3.5l1.5 4-2 1.5c1 2 2.5 3.5 4.5 4.5l1.5-2 4 1.5V16c-7 1.5-14.5-6-13-13z",
    "eye": "M2 10s3-5.5 8-5.5 8 5.5 8 5.5-3 5.5-8 5.5S2 10 2 10zM10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "comment": "M3 4h14v9.5H9.5L6 17v-3.5H3z",
    "flag": "M5 17.5V3M5 3.5h10.5L13 7l2.5 3.5H5",
    "target": "M10 17.25a7.25 7.25 0 1 0 0-14.5 7.25 7.25 0 0 0 0 14.5zM10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 10h.1",
    "book": "M10 5C8 3.5 5.5 3.2 3 3.5V15c2.5-.3 5 0 7 1.5 2-1.5 4.5-1.8 7-1.5V3.5c-2.5-.3-5 0-7 1.5zM10 5v11.5",
    "settings": "M3 6h8M15 6h2M3 14h2M9 14h8M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
    "speak": "M3 8v4h3l4 3.5v-11L6 8zM13 7.5a3.5 3.5 0 0 1 0 5M15.2 5a7 7 0 0 1 0 10",
    "retry": "M16.5 8A7 7 0 1 0 17 11.5M17 4v4h-4",
    "keyboard": "M2.5 5h15v10.5h-15zM5.5 8.2h.6M9.7 8.2h.6M13.9 8.2h.6M6 12h8",
}

NAMES = tuple(sorted(_PATHS))


def icon(name: str) -> SafeString:
    """The icon as inline SVG, hidden from readers of the page. Raises KeyError with the names that exist."""
    if name not in _PATHS:
        raise KeyError(f"no icon {name!r}; known: {', '.join(NAMES)}")
    return format_html(
        '<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">'
        '<path d="{}"/></svg>',
        mark_safe(_PATHS[name]),
    )
