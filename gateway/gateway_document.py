"""The gateway's own figures as a JSON document."""

from pydantic import BaseModel, Field

from gateway.near_figures import NearFigures, near_in
from gateway.worker_figures import GatewayFigures, answered_in


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
    """Return what `figures` say, for programs."""
    return Gateway(
        workers=figures.workers,
        no_answer=list(figures.no_answer),
        requests=answered_in(figures.sums),
        near=near_in(figures.sums),
    )
