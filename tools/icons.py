"""Draw the portal's marks as PNG from `ui/icon.svg` (a changed mark needs it): `.venv/bin/python tools/icons.py`."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parents[1] / "src/liangzhu/kernel/ui/static/ui"
SIZES = {"icon-192.png": (192, False), "icon-512.png": (512, False), "icon-maskable-512.png": (512, True)}


def main() -> None:
    """A maskable mark has no rounded corners and keeps clear of what a phone cuts off (the inner 80 %)."""
    mark = (FOLDER / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (size, maskable) in SIZES.items():
            drawn = mark.replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)
            if maskable:
                drawn = drawn.replace('viewBox="0 0 40 40"', 'viewBox="-5 -5 50 50"').replace(
                    '<rect width="40" height="40" rx="8"', '<rect x="-5" y="-5" width="50" height="50"'
                )
            tab = browser.new_page(viewport={"width": size, "height": size})
            tab.set_content(f"<style>*{{margin:0;display:block}}</style>{drawn}")
            tab.screenshot(path=FOLDER / name, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
