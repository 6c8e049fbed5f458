"""WSGI entry for a checkout; an installed copy uses `app.factory:create_app()`."""

from app.factory import create_app

application = create_app()
