"""`/cluster`: the nodes, their health and their shares of the ring."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from cache_core.client.client import Client
from gateway.openapi.resources import CLUSTER_RESPONSES
from gateway.routes.dependencies import Timeout
from gateway.survey.cluster_document import Cluster, cluster_document
from gateway.survey.gateway_figures import GatewayFigures
from gateway.survey.survey import survey


def router(client: Client, figures: Callable[[], Awaitable[GatewayFigures]]) -> APIRouter:
    """Return the route that shows the cluster that `client` asks, and the gateway's `figures`."""
    routes = APIRouter(tags=["cluster"])

    @routes.head("/cluster", include_in_schema=False)
    @routes.get(
        "/cluster",
        operation_id="get_cluster",
        summary="Get the nodes' health and shares",
        responses=CLUSTER_RESPONSES,
    )
    async def get_cluster(timeout: Timeout) -> Cluster:
        """Return the members of the cluster, what they do not agree on, and the gateway's figures.

        Those that give no answer are in it, with why; the status is 200 even where none does.
        """
        answers = await client.describe(timeout=timeout)
        return cluster_document(survey(answers), await figures())

    return routes
