"""create_app(): settings, database, blueprints, default-deny access, error pages."""

from __future__ import annotations

import gc
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import abort, g, redirect, request, session, url_for
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DBAPIError
from werkzeug.middleware.proxy_fix import ProxyFix

from app import clock, models  # noqa: F401  (models: every class must be mapped)
from app.accounts import queries as accounts
from app.accounts import views as accounts_views
from app.accounts.models import STAFF
from app.accounts.operations import tablet_seen
from app.accounts.session import SignedIn
from app.aggregation import views as aggregation_views
from app.config import Settings
from app.db import Database
from app.directory import views as directory_views
from app.domain.types import DomainError
from app.draw import views as draw_views
from app.draw import views_device as draw_device_views
from app.field import views as field_views
from app.files.store import Store
from app.home import views as home_views
from app.home.queries import stage_line
from app.keys import load
from app.ledger import prove
from app.panel import views as panel_views
from app.programme import views as programme_views
from app.programme.queries import round_by_slug, rounds_for
from app.registry import views as registry_views
from app.report import views as report_views
from app.scoring import views as scoring_views
from app.scoring import views_form_paper
from app.supervision import views as supervision_views
from app.ui import access, compress, errors, headers, help, language, transport, views_trust
from app.ui import views as ui_views
from app.ui.outage import outage
from app.ui.request import Application, database, db, finish, maybe_me

log = logging.getLogger("mingjian")
BLUEPRINTS = (
    ui_views.blueprint,
    views_trust.blueprint,
    accounts_views.blueprint,
    directory_views.blueprint,
    registry_views.blueprint,
    programme_views.blueprint,
    draw_views.blueprint,
    draw_views.pool_blueprint,
    draw_views.verifiers,
    draw_device_views.blueprint,
    panel_views.blueprint,
    scoring_views.blueprint,
    views_form_paper.blueprint,
    field_views.blueprint,
    field_views.desk,
    aggregation_views.blueprint,
    report_views.blueprint,
    supervision_views.blueprint,
    home_views.blueprint,
)
SEEN_EVERY = timedelta(seconds=60)
# A tablet that signs in has no token yet; these read JSON only, which another site cannot send.
UNSIGNED = ("field.bind", "field.challenge", "field.open_session")


def create_app(settings: Settings | None = None) -> Application:
    """The application for one installation. RuntimeError when an endpoint names nobody."""
    settings = settings or Settings.from_environment()
    app = Application("app", template_folder="templates", static_folder="static")
    key_ring = load(settings.keys)
    store = Store(settings.files)
    app.extensions["mingjian.settings"] = settings
    app.extensions["mingjian.keys"] = key_ring
    app.extensions["mingjian.store"] = store
    app.extensions["mingjian.db"] = Database(
        settings.database_url, keys=key_ring, settings=settings, store=store
    )
    app.config.update(
        SECRET_KEY=key_ring.cookie,
        SESSION_COOKIE_NAME="__Host-mingjian" if settings.secure_cookies else "mingjian",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_I18N_ENABLED=False,  # WTForms' own catalogues, chosen in app.ui.forms
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        TIMEZONE=settings.timezone,
    )
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    csrf = CSRFProtect(app)
    _sign_in(app, settings)
    language.register(app)
    help.register(app)
    headers.register(app, https=settings.secure_cookies)
    compress.register(app)
    errors.register(app)
    transport.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for endpoint in UNSIGNED:
        csrf.exempt(app.view_functions[endpoint])
    _guard(app)
    access.public(app.view_functions["static"])
    access.check_all_declared(app)
    _page_frame(app, settings)
    app.teardown_request(lambda _error: finish(keep=False))
    return app


def served() -> Any:
    """What a server runs: the application, or one page that says which kind of thing is missing."""
    try:
        made = create_app()
        gc.freeze()  # what the program is made of is never garbage, and no request waits for the search
        return made
    except DomainError as error:
        log.error("%s / %s", error.text.zh, error.text.en)
        return outage


def _sign_in(app: Application, settings: Settings) -> None:
    manager = LoginManager(app)
    manager.session_protection = None  # the server-side row is the protection; tablets roam
    idle = timedelta(minutes=settings.session_idle_minutes)

    @manager.user_loader
    def _load(token: str) -> SignedIn | None:
        if g.get("bare"):
            return None  # the page that says that the database is away
        with database().read() as reading:
            found = accounts.live_sign_in(reading, token, idle)
            if found is None:
                return None
            row, viewer = found
            stale, tablet_id = clock.now() - row.last_seen_at > SEEN_EVERY, row.tablet_id
        if stale:
            # On a full disk people still read, and are told that nothing can be saved when they try.
            with suppress(OSError, DBAPIError), database().write() as writing:
                again = accounts.live_sign_in(writing, token, idle)
                if again:
                    again[0].last_seen_at = clock.now()
                    if tablet_id is not None:
                        tablet_seen(writing, tablet_id)
        return SignedIn(viewer, token, tablet_id)


def _guard(app: Application) -> None:
    """Before every view: may this viewer call this endpoint?"""

    @app.before_request
    def _check() -> Any:
        if request.endpoint is None:
            return None  # 404 or 405 follows
        allowed = access.policy(app, request.endpoint)
        if allowed == access.PUBLIC:
            return None
        viewer = maybe_me()
        if viewer is None:
            if errors.wants_json():
                return errors.answer(401, errors.EXPIRED)
            target = request.full_path.rstrip("?") if request.method == "GET" else None
            if request.method != "GET":
                return errors.answer(401, errors.EXPIRED)
            return redirect(url_for("accounts.sign_in", next=target))
        if viewer.role not in allowed:
            abort(403)
        if current_user.tablet_id and viewer.role in STAFF and request.blueprint != "field":
            abort(403)  # a recorder's tablet has no second factor: the field application alone
        return None

    @app.before_request
    def _round() -> None:
        """Every URL of a round carries its slug; views find the round in `g.round`."""
        slug = (request.view_args or {}).get("slug")
        if slug is not None:
            g.round = round_by_slug(db(), maybe_me(), slug)


def _page_frame(app: Application, settings: Settings) -> None:
    """What base.html shows on every page."""

    @app.context_processor
    def _frame() -> dict[str, Any]:
        viewer = maybe_me() if current_user else None
        frame: dict[str, Any] = {
            "viewer": viewer,
            "round": g.get("round"),
            "rounds": [],
            "stages": [],
            "ledger_head": "",
            "demo": settings.demo,
            "csrf_expired": "csrf_token" not in session,
        }
        if viewer is None or g.get("bare"):
            return frame
        with database().read() as reading:  # the frame of an error page needs its own snapshot
            frame["rounds"] = [
                {"id": r.id, "title": r.title, "url": url_for("home.of_round", slug=r.slug)}
                for r in rounds_for(reading, viewer, named=True)
                if not r.hidden or (frame["round"] is not None and r.id == frame["round"].id)
            ]
            frame["ledger_head"] = prove.head(reading).root.hex()
            if frame["round"] is not None:
                frame["stages"] = stage_line(reading, viewer, frame["round"])
        return frame
