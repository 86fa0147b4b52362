"""Office files whose bytes depend on their content only: the clock of the machine is taken out of the container."""

import io
import zipfile
from datetime import date


def still(data: bytes, day: date) -> bytes:
    """The same zip container with every entry dated ``day`` and in the order written."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            named = zipfile.ZipInfo(entry.filename, (max(day.year, 1980), day.month, day.day, 0, 0, 0))
            named.compress_type = zipfile.ZIP_DEFLATED
            named.external_attr = 0o600 << 16
            target.writestr(named, source.read(entry))
    return out.getvalue()
