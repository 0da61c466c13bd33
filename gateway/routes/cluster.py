"""`/cluster`: the nodes, their health and their shares of the ring."""

from fastapi import APIRouter

from cache_core.client import Client
from gateway.openapi.resources import CLUSTER_RESPONSES
from gateway.routes.timeout import Timeout
from gateway.routes.uncached import UNCACHED
from gateway.survey import survey
from gateway.survey_document import Cluster, document


def router(client: Client) -> APIRouter:
    """Return the route that shows the cluster that `client` asks."""
    routes = APIRouter(tags=["cluster"], dependencies=[UNCACHED])

    @routes.head("/cluster", include_in_schema=False)
    @routes.get(
        "/cluster",
        operation_id="get_cluster",
        summary="Get the nodes' health and shares",
        responses=CLUSTER_RESPONSES,
    )
    async def get_cluster(timeout: Timeout) -> Cluster:
        """Return the members of the cluster, and what they do not agree on.

        Those that give no answer are in it, with why; the status is 200 even where none does.
        """
        return document(survey(await client.describe(timeout=timeout)))

    return routes
