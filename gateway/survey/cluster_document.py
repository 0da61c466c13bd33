"""A survey of a cluster as a JSON document: the gateway's `/cluster`, `gaocache cluster --json`."""

from typing import Final

from pydantic import BaseModel, Field

from gateway.survey.figures import Figures
from gateway.survey.gateway_figures import GatewayFigures, NearFigures, answered_in, near_in
from gateway.survey.survey import NodeRow, Survey, hexadecimal


class Gateway(BaseModel):
    """The gateway that answers, all its workers together."""

    workers: int = Field(description="How many processes serve it.", examples=[1])
    no_answer: list[str] = Field(
        description="The workers whose figures are missing in the sums, for they did not tell "
        "them in time.",
        examples=[[]],
    )
    requests: dict[str, int] = Field(
        description="The requests answered since the start of each worker, by the class of the "
        "status.",
        examples=[{"2xx": 4, "3xx": 0, "4xx": 0, "5xx": 0}],
    )
    near: dict[str, NearFigures] = Field(
        description="The near copies of each group, by its name.",
        examples=[{"scores": {"hits": 0, "entries": 1, "bytes": 262}}],
    )


def gateway_document(figures: GatewayFigures) -> Gateway:
    """Return the gateway's own `figures` as a document."""
    return Gateway(
        workers=figures.workers,
        no_answer=list(figures.no_answer),
        requests=answered_in(figures.sums),
        near=near_in(figures.sums),
    )


RING: Final = "16 hexadecimal digits; null for a node on its own"


class ClusterNode(BaseModel):
    """A member of the cluster. What one that gave no answer could say of itself is null."""

    node: str = Field(description="Its address.", examples=["127.0.0.1:8080"])
    health: str = Field(
        description="`up`, `left out` (another member gets no answer of it), `leaving`, or "
        "`no answer`.",
        examples=["up"],
    )
    error: str | None = Field(description="Why it gave no answer.", examples=[None])
    weight: int | None = Field(description="Its weight on the ring.", examples=[1])
    share: float | None = Field(
        description="The part of all keys that it owns, from 0 to 1.", examples=[1.0]
    )
    ring: str | None = Field(description=f"The version of its ring, {RING}.", examples=[None])
    ring_mismatches: int | None = Field(
        description="Calls by senders with another ring, since its start.", examples=[0]
    )
    watchers: int | None = Field(description="Clients that it tells of removals.", examples=[0])
    uptime: float | None = Field(description="Seconds since its start.", examples=[86400.0])
    groups: dict[str, Figures] = Field(description="The figures of its groups, by their names.")


class Nodes(BaseModel):
    """The members of a cluster, and what is at odds between them."""

    ring: str | None = Field(
        description=f"The ring's version, {RING} and where the members have different ones.",
        examples=[None],
    )
    warnings: list[str] = Field(
        description="What the members do not agree on, a sentence each.", examples=[[]]
    )
    nodes: list[ClusterNode]


class Cluster(Nodes):
    """The members of a cluster, what is at odds between them, and the gateway that asked them."""

    gateway: Gateway


def cluster_document(found: Survey, figures: GatewayFigures) -> Cluster:
    """Return the survey `found` and the gateway's own `figures` as one document."""
    return Cluster(**dict(document(found)), gateway=gateway_document(figures))


def document(found: Survey) -> Nodes:
    """Return the survey `found` as a document."""
    return Nodes(
        ring=hexadecimal(found.ring),
        warnings=list(found.warnings),
        nodes=[_node(row) for row in found.rows],
    )


def _node(row: NodeRow) -> ClusterNode:
    return ClusterNode(
        node=row.node,
        health=row.health,
        error=row.error,
        weight=row.view and row.view.weight,
        share=row.view and row.view.share,
        ring=row.info and hexadecimal(row.info.ring),
        ring_mismatches=row.info and row.info.ring_mismatches,
        watchers=row.info and row.info.watchers,
        uptime=row.info and row.info.uptime,
        groups=dict(row.groups),
    )
