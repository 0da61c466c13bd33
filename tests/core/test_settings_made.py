"""What follows from a group's settings once they are made."""

from typing import Any

import pytest
from pydantic import ValidationError

from cache_core.settings import MIB, GroupSettings


def test_settings_cannot_be_changed_once_they_are_made() -> None:
    settings = GroupSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.ttl = 5.0  # type: ignore[misc] # that is what is tested


@pytest.mark.parametrize(
    ("given", "largest"),
    [
        ({}, 4 * MIB),
        ({"capacity": "10MiB"}, MIB),
        ({"capacity": "1GiB"}, 4 * MIB),
        ({"capacity": "10MiB", "max_value": "8MiB"}, 8 * MIB),
    ],
)
def test_the_largest_value_is_what_is_given_or_a_tenth_of_the_capacity_up_to_4_mib(
    given: dict[str, Any], largest: int
) -> None:
    assert GroupSettings.model_validate(given).largest_value == largest


@pytest.mark.parametrize(
    ("name", "most", "more"),
    [
        ("capacity", 2**60, 2**60 + 1),
        ("capacity", "1EiB", "9999999999999GiB"),
        ("max_value", 2**31, 2**31 + 1),
        ("load_concurrency", 2**31 - 1, 2**31),
        ("load_queue", 2**31 - 1, 2**31),
    ],
)
def test_what_could_not_travel_is_refused(name: str, most: object, more: object) -> None:
    GroupSettings.model_validate({name: most})
    with pytest.raises(ValueError, match=r"less than or equal|it should be a size"):
        GroupSettings.model_validate({name: more})


def test_the_terms_of_the_values_are_the_settings_for_stale_ones_and_the_media_type() -> None:
    given = {"stale_while_revalidate": 3, "stale_if_error": 4, "content_type": "image/png"}
    assert GroupSettings.model_validate(given).terms == (3, 4, "image/png")
    assert GroupSettings().terms == (0, 0, "")
