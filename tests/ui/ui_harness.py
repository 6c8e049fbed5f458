"""A small Flask app that gives the templates what the product gives them, with invented sample data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

from flask import (
    Flask,
    flash,
    g,
    jsonify,
    redirect,
    render_template,
    render_template_string,
    request,
)
from flask import session as cookie
from jinja2 import StrictUndefined
from werkzeug.serving import make_server
from wtforms import (
    BooleanField,
    DecimalField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange

from app.domain.types import Text
from app.ui import headers, language

APP = Path(__file__).parents[2] / "app"
MOMENT = datetime(2026, 3, 2, 1, 4, 5, tzinfo=UTC)
HASH = "3f9ac21b" * 8
STAGES = [
    ("申报", "Declaration", "done", 6),
    ("资格", "Qualification", "done", 6),
    ("抽取", "Draw", "done", 7),
    ("评审", "Desk review", "now", 18),
    ("实地", "Site visit", "todo", 0),
    ("陈述", "Statement", "todo", 0),
    ("汇总", "Aggregation", "todo", None),
    ("报告", "Report", "todo", None),
    ("公示", "Public notice", "todo", None),
]


def kind(value: str, zh: str, en: str) -> SelectChoice:
    return SelectChoice(value=value, label=Text(zh, en))


class Year(Form):
    year = StringField(Text("年度", "Year"))


class Sample(Form):
    """One field of each sort; labels, descriptions, choices and errors are Text pairs."""

    name = StringField(
        Text("姓名", "Name"),
        [InputRequired(Text("请填写姓名", "Please enter the name"))],
        description=Text("与证件一致", "As on the identity card"),
    )
    points = DecimalField(Text("标准分", "Full marks"), [NumberRange(min=0, max=100)])
    grade = SelectField(
        Text("职称", "Title grade"),
        choices=[kind("a", "正高级", "Senior"), kind("b", "副高级", "Associate senior")],
    )
    region = RadioField(
        Text("地区类别", "Region class"),
        choices=[kind("1", "Ⅰ类地区", "Class I area"), kind("2", "Ⅱ类地区", "Class II area")],
    )
    fields = SelectMultipleField(
        Text("专业", "Specialties"),
        choices=[kind("land", "土地利用", "Land use"), kind("mine", "矿产", "Minerals")],
    )
    agreed = BooleanField(Text("已签承诺书", "The commitment is signed"))
    words = TextAreaField(Text("备注", "Remarks"))
    years = FieldList(FormField(Year), label=Text("任职", "Posts"), min_entries=1)
    token = HiddenField()


def sample() -> SimpleNamespace:
    rows = [
        ("陈示例", "Chen Shili", "18.5", "done", "已封存", "Sealed"),
        ("王样本", "Wang Yangben", "19.5", "struck", "已去掉", "Dropped"),
        ("李虚构", "Li Xugou", "16.0", "waits", "待封存", "To be sealed"),
    ]
    return SimpleNamespace(
        moment=MOMENT,
        hash=HASH,
        mean=Decimal("17.25"),
        person=Text("陈示例", "Chen Shili"),
        page=SimpleNamespace(number=2, size=20, total=45),
        autosave_url="/autosave",
        rows=[
            SimpleNamespace(
                name=Text(zh, en),
                organisation=Text("示例大学土地学院", "Example University, School of Land"),
                mark=Decimal(mark),
                kind=state,
                state=Text(state_zh, state_en),
                at=MOMENT,
                dropped=state == "struck",
                reason=Text("会议时间冲突", "the meeting clashes") if state == "waits" else None,
            )
            for zh, en, mark, state, state_zh, state_en in rows
        ],
    )


def build(on_autosave: Callable[[dict[str, Any]], Any] | None = None) -> Flask:
    """The app. Sign-in state, language and drill are cookies set by /as; on_autosave answers saves."""
    app = Flask("ui", template_folder=str(APP / "templates"), static_folder=str(APP / "static"))
    app.secret_key = "only for these tests"
    app.jinja_env.undefined = StrictUndefined

    app.config["TIMEZONE"] = "Asia/Shanghai"
    language.register(app)
    headers.register(app, https=False)
    app.jinja_env.globals.update(csrf_token=lambda: "token-1")

    @app.before_request
    def choose_language() -> None:
        g.lang = cookie.get("lang") or request.args.get("lang") or "zh"

    @app.context_processor
    def context() -> dict[str, Any]:
        out = cookie.get("out", False) or "out" in request.args
        title = Text("2012 年第二轮（示例）", "Second round of 2012 (sample)")
        this = SimpleNamespace(id=1, title=title, drill=True, url="/r/2012-2/home")
        other = SimpleNamespace(
            id=2, title=Text("2013 年", "Round of 2013"), drill=False, url="/r/2013/home"
        )
        viewer = SimpleNamespace(
            id=1,
            name="Chen Shili",
            role="office",
            role_text=Text("创建活动办公室", "Programme office"),
        )
        stages = [
            {"key": en, "text": Text(zh, en), "count": n, "state": s, "url": "/" if n else None}
            for zh, en, s, n in STAGES
        ]
        return {
            "viewer": None if out else viewer,
            "round": None if out else this,
            "rounds": [] if out else [this, other],
            "stages": [] if out else stages,
            "ledger_head": "" if out else HASH,
            "demo": True,
        }

    @app.get("/", endpoint="home.index")
    def styleguide() -> str:
        form = Sample(data={"grade": "b", "region": "1", "points": Decimal("12.5")})
        if "wrong" in request.args:
            form.validate()
            form.form_errors.append(Text("名单已经冻结", "The list is already frozen"))
        if "flash" in request.args:
            flash("Saved & kept", "ok")
            flash("<b>Refused</b>", "wrong")
        return render_template("styleguide.html", form=form, sample=sample())

    @app.post("/")
    def submit() -> Any:
        time.sleep(0.15)
        app.config.setdefault("POSTS", []).append(dict(request.form))
        if cookie.pop("expired", None):
            cookie["out"] = True
        if cookie.get("out"):
            text = Text("登录已过期。", "Your session has expired.")
            return render_template("error.html", status=401, text=text), 401
        return redirect("/taken")

    @app.get("/taken")
    def taken() -> str:
        page = "{% extends 'base.html' %}{% block title %}Taken{% endblock %}"
        return render_template_string(page)

    @app.get("/sign-in", endpoint="accounts.sign_in")
    def sign_in() -> str:
        page = "{% extends 'base.html' %}{% block title %}Sign in{% endblock %}"
        return render_template_string(page)

    @app.get("/field")
    def tablet() -> str:
        return render_template_string(FIELD, value=request.args.get("value", "17.5"))

    @app.get("/print")
    def paper() -> str:
        return render_template_string(PAPER)

    @app.get("/error")
    def error() -> tuple[str, int]:
        status = int(request.args.get("status", "500"))
        words = {"text": Text("连接中断，没有保存。", "The connection broke; nothing was saved.")}
        if status == 500:
            words["kept"] = Text("您填写的内容。", "All you typed.")
            words["todo"] = Text("请再试一次。", "Please try again.")
        return render_template("error.html", status=status, **words), status

    @app.get("/as")
    def be() -> Any:
        cookie.clear()
        cookie.update(request.args.to_dict())
        return redirect("/as-done")

    @app.get("/as-done")
    def done() -> str:
        return "ok"

    @app.post("/autosave")
    def autosave() -> Any:
        assert on_autosave is not None
        assert request.headers["X-CSRFToken"] == "token-1"
        answer = on_autosave(request.get_json())
        return (jsonify(answer[1]), answer[0]) if isinstance(answer, tuple) else answer

    app.add_url_rule("/verify", "verifiers.index", lambda: "")
    app.add_url_rule("/language", "ui.language", lambda: redirect("/"), methods=["POST"])
    app.add_url_rule("/out", "accounts.sign_out", lambda: redirect("/taken"), methods=["POST"])
    return app


FIELD = """{% extends "field.html" %}
{% from "macros.html" import csrf, stepper, link_button, primary %}
{% block title %}{{ t("第 3 项", "Indicator 3") }}{% endblock %}
{% block content %}<form id="sheet" method="post" action="/" data-autosave-url="/autosave" data-autosave-key="sheet-1"
 data-autosave-status="save-state" data-no-enter>{{ csrf() }}<input type="hidden" name="version" value="{{ request.args.get("version", 1) }}">
{{ stepper("mark", t("节约集约用地水平", "Level of economical land use"), value=value, max="20", chips=["0", "10", "20"]) }}
<div class="field-row"><label for="words">{{ t("评语", "Remark") }}</label><textarea id="words" name="words"></textarea></div>
<p class="actions">{{ primary(t("封存", "Seal")) }}</p></form>{% endblock %}
{% block dock %}<nav class="dock" aria-label="{{ t("指标", "Indicators") }}">{{ link_button(t("上一项", "Previous"), "/field") }}{{ link_button(t("下一项", "Next"), "/field", "primary") }}</nav>{% endblock %}"""

PAPER = """{% extends "print.html" %}{% block title %}{{ t("评审组名单", "Panel list") }}{% endblock %}
{% block content %}<p>{{ t("正文", "Body") }}</p>{% endblock %}"""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a free loopback port, for a browser."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
