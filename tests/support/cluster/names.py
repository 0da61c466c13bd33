"""A name whose addresses a test sets, for processes that resolve it as any other."""

from pathlib import Path
from typing import Final

NSS_WRAPPER: Final = next(Path("/usr/lib").glob("*/libnss_wrapper.so"), None)


class Names:
    """The name `cache.test`, for processes that run in `environment`; its file is in `folder`."""

    name: Final = "cache.test"

    def __init__(self, folder: Path) -> None:
        self._hosts = folder / "hosts"
        self.environment = {"LD_PRELOAD": str(NSS_WRAPPER), "NSS_WRAPPER_HOSTS": str(self._hosts)}

    def set(self, *addresses: str) -> None:
        """Let the name have these addresses, from one moment to the next."""
        new = self._hosts.with_name("new")
        new.write_text("".join(f"{address} {self.name}\n" for address in addresses))
        new.rename(self._hosts)
