"""The groups of a surveyed cluster as JSON documents."""

from pydantic import BaseModel, Field

from cache_core.settings import GroupSettings
from gateway.survey.figures import Figures
from gateway.survey.survey import Survey


class NoAnswer(BaseModel):
    """A node whose figures are missing."""

    node: str = Field(description="Its address.", examples=["127.0.0.1:8081"])
    error: str = Field(
        description="Why it gave no answer.", examples=["node 127.0.0.1:8081 can't be reached"]
    )


class GroupDocument(BaseModel):
    """A group, as the nodes that answer have it."""

    group: str = Field(description="Its name.", examples=["scores"])
    settings: GroupSettings = Field(
        description="Sizes in bytes, durations in seconds; those of the first of `nodes`."
    )
    figures: Figures = Field(description="Sums over `nodes`.")
    nodes: list[str] = Field(description="The nodes that have it.", examples=[["127.0.0.1:8080"]])
    no_answer: list[NoAnswer] = Field(
        description="The nodes whose figures are missing.", examples=[[]]
    )


class Groups(BaseModel):
    """The groups by name."""

    groups: list[GroupDocument]
    no_answer: list[NoAnswer] = Field(
        description="The nodes whose figures are missing.", examples=[[]]
    )


def documents(found: Survey) -> Groups:
    """Return the groups of the members that answered, and the members that did not."""
    missing = [NoAnswer(node=row.node, error=row.error) for row in found.rows if row.error]
    groups = []
    for name, figures in found.groups.items():
        infos = {
            row.node: row.info.groups[name]
            for row in found.rows
            if row.info is not None and name in row.info.groups
        }
        groups.append(
            GroupDocument(
                group=name,
                settings=next(iter(infos.values())).settings,
                figures=figures,
                nodes=list(infos),
                no_answer=missing,
            )
        )
    return Groups(groups=groups, no_answer=missing)
