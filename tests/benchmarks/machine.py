"""What figures were measured on, in words."""

import datetime as dt
import platform
import sys
from importlib import metadata
from pathlib import Path


def machine(*libraries: str) -> str:
    """Return the processor, the system, Python, the installed ones of `libraries`, and the date."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    versions = [f"{name} {version}" for name in libraries if (version := _version(name))]
    about = (
        f"{len(names)} x {names[0] if names else platform.machine()}",
        platform.system(),
        f"{platform.python_implementation()} {sys.version.split()[0]}",
        *versions,
        dt.datetime.now(tz=dt.UTC).date().isoformat(),
    )
    return ", ".join(about)


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
