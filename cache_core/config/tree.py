"""A source of settings, as pydantic-settings has them, that have been read already."""

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource


class TreeSource(PydanticBaseSettingsSource):
    """Gives the settings in `tree`, as they are."""

    def __init__(self, settings_cls: type[BaseSettings], tree: Mapping[str, Any]) -> None:
        super().__init__(settings_cls)
        self._tree = tree

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - pydantic-settings' own signature
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """Return what the tree has for the field."""
        return self._tree.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the tree, with what is no field as well: it is to be refused."""
        return dict(self._tree)
