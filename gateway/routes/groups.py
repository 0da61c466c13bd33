"""`/groups`: the groups with their settings and figures, over all nodes."""

from fastapi import APIRouter

from cache_core.client.client import Client
from cache_core.errors import CacheError, UnknownGroup
from gateway.http.addressing import group_of
from gateway.http.limits import Limits
from gateway.openapi.resources import GROUP_RESPONSES, GROUPS_RESPONSES
from gateway.routes.dependencies import GroupPath, Timeout
from gateway.survey.group_document import GroupDocument, Groups, documents
from gateway.survey.survey import survey


def router(client: Client, limits: Limits) -> APIRouter:
    """Return the routes that show the groups of the nodes that `client` asks."""
    routes = APIRouter(tags=["groups"])

    async def ask(timeout: float) -> Groups:
        answers = await client.describe(timeout=timeout)
        errors = [answer for answer in answers.values() if isinstance(answer, CacheError)]
        if errors and len(errors) == len(answers):
            raise errors[0]
        return documents(survey(answers))

    @routes.head("/groups", include_in_schema=False)
    @routes.get(
        "/groups", operation_id="list_groups", summary="List groups", responses=GROUPS_RESPONSES
    )
    async def list_groups(timeout: Timeout) -> Groups:
        """Return every group with its settings and its figures, summed over the nodes."""
        return await ask(timeout)

    @routes.head("/groups/{group:segment}", include_in_schema=False)
    @routes.get(
        "/groups/{group:segment}",
        operation_id="get_group",
        summary="Get a group's settings and figures",
        responses=GROUP_RESPONSES,
    )
    async def get_group(group: GroupPath, timeout: Timeout) -> GroupDocument:
        """Return a group's settings and its figures, summed over the nodes that answer."""
        name = group_of(group, limits)
        found = await ask(timeout)
        for document in found.groups:
            if document.group == name:
                return document
        raise UnknownGroup

    return routes
