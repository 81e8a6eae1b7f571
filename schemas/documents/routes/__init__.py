"""The table of HTTP routes. A new route is a new row; both OpenAPI documents follow."""

from typing import Final

from schemas.documents.routes.audit import AUDIT
from schemas.documents.routes.customers import CUSTOMERS
from schemas.documents.routes.exceptions import EXCEPTIONS
from schemas.documents.routes.orders import ORDERS
from schemas.documents.routes.overview import OVERVIEW
from schemas.documents.routes.pages import PAGES
from schemas.documents.routes.partners import PARTNERS
from schemas.documents.routes.places import PLACES
from schemas.documents.routes.route import Answer, Route
from schemas.documents.routes.service import SERVICE

__all__ = ["ROUTES", "Answer", "Route"]

ROUTES: Final[tuple[Route, ...]] = (
    *ORDERS,
    *EXCEPTIONS,
    *OVERVIEW,
    *CUSTOMERS,
    *PLACES,
    *PARTNERS,
    *AUDIT,
    *PAGES,
    *SERVICE,
)
