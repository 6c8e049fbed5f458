"""A server that speaks FIELD/1 (docs/sync-protocol.md) from memory, and misbehaves when told to.

The tablet's engine is tested against it because the real server never loses a reply on purpose. What
it holds (`logs`) is the truth that the tests compare the tablet with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from app.domain.field.operations import START, entries_hash, operation_hash
from app.field import shell
from app.scoring.entries import merged
from app.ui.headers import FIXED

STATIC = Path(shell.__file__).parents[1] / "static"
# In place of the screens: the engine alone.
BARE = b'import { store } from "./engine/store.js"; store.start();'
SHEET, LOCKED, CODE = "a" * 16, "b" * 16, "ABCDEFGHIJKLMNOP"
ITEMS = [
    {"id": "A1", "scorer": "expert", "applies": True, "section": "A", "scale": {"type": "points"}},
    {"id": "A2", "scorer": "expert", "applies": True, "section": "A", "scale": {"type": "points"}},
    {"id": "B1", "scorer": "expert", "applies": True, "section": "B",
     "scale": {"type": "checklist", "checks": []}},
]  # fmt: skip
MATERIAL = "材料正文，仅供测试".encode() * 400
MIME = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png"}


def signed_by(key: ec.EllipticCurvePublicKey, signature: str, text: str) -> bool:
    """Whether raw r‖s in base64 over a text is the key's."""
    raw = base64.b64decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    try:
        key.verify(der, text.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


class Tower:
    """Start it, let tablets talk to it, and read `logs`; `faults` are used up by the next pushes."""

    def __init__(self) -> None:
        self.tablets: dict[str, ec.EllipticCurvePublicKey] = {}
        self.revoked: set[str] = set()
        self.sessions: dict[str, tuple[str, str]] = {}  # cookie -> (tablet, csrf)
        self.nonces: dict[str, str] = {}
        self.logs: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.receipts: dict[str, dict[str, Any]] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self.state: dict[str, dict[str, Any]] = {}
        self.chunks: dict[str, dict[int, bytes]] = defaultdict(dict)
        self.faults: list[str] = []
        self.chunk_faults: list[str] = []
        self.calls: Counter[str] = Counter()
        self.leaf = 0
        self.ahead = timedelta()  # the server's clock beside the tablet's
        self.script = BARE
        self.lock = threading.Lock()
        self.port = 0
        self.server: Any = None

    # ---- running

    def start(self) -> None:
        self.server = make_server("127.0.0.1", self.port, self, threaded=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ops(self, sheet: str = SHEET) -> list[dict[str, Any]]:
        """Everything stored for a sheet, tablet after tablet."""
        return [op for (_, key), log in self.logs.items() if key == sheet for op in log]

    def __call__(self, environ: dict[str, Any], respond: Any) -> Any:
        request = Request(environ)
        with self.lock:
            response = self.answer(request)
        for name, value in FIXED.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response(environ, respond)

    # ---- what is served

    def answer(self, request: Request) -> Response:
        path = request.path
        self.calls[f"{request.method} {path}"] += 1
        if path == "/field":
            return Response((STATIC / "field/index.html").read_bytes(), mimetype="text/html")
        if path == "/field/sw.js":
            worker = Response(self.worker(), mimetype="text/javascript")
            worker.headers["Service-Worker-Allowed"] = "/field"
            return worker
        if path.endswith(".part"):
            part = shell.parts(STATIC, self.replaced())[path[7:-5]]
            return Response(part.body, mimetype="text/plain")
        if path.startswith("/static/"):
            return self.static(path)
        if path == "/field/api/ping":
            return Response(status=204)
        if path == "/material":
            return Response(MATERIAL) if self.session(request) else self.error(401, "signed_out")
        call = path.removeprefix("/field/api/").split("/")
        step = {
            "bind": self.bind, "challenge": self.challenge, "session": self.open_session,
            "pack": self.pack, "push": self.push, "media": self.media, "sign-out": self.sign_out,
        }.get(call[0])  # fmt: skip
        return step(request) if step else self.error(404, "absent")

    def static(self, path: str) -> Response:
        file = STATIC / path.removeprefix("/static/")
        if not file.is_file():
            return self.error(404, "absent")
        body = self.script if path == "/static/field/app.js" else file.read_bytes()
        return Response(body, mimetype=MIME.get(file.suffix, "application/octet-stream"))

    def replaced(self) -> dict[str, bytes]:
        """What the engine's tests put in a file's place."""
        return {"/static/field/app.js": self.script}

    def worker(self) -> str:
        return shell.service_worker_source(STATIC, self.replaced())

    def error(self, status: int, code: str) -> Response:
        told = {"code": code, "text": code, "text_zh": f"{code}（中）", "text_en": code}
        return self.json({"error": told}, status)

    def json(self, value: Any, status: int = 200) -> Response:
        return Response(json.dumps(value), status=status, mimetype="application/json")

    def now(self) -> str:
        return (datetime.now(UTC) + self.ahead).strftime("%Y-%m-%dT%H:%M:%SZ")

    # ---- section 1

    def bind(self, request: Request) -> Response:
        body = json.loads(request.data)
        if body["code"] != "GOOD":
            return self.error(403, "code")
        key = serialization.load_der_public_key(base64.b64decode(body["public_key"]))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        tablet = secrets.token_hex(8)
        self.tablets[tablet] = key
        return self.let_in(tablet)

    def let_in(self, tablet: str) -> Response:
        cookie, csrf = secrets.token_hex(16), secrets.token_hex(8)
        self.sessions[cookie] = (tablet, csrf)
        answer = self.json(
            {
                "tablet": tablet, "account": "e" * 16, "name": "测试专家甲", "role": "expert",
                "csrf": csrf, "server_time": self.now(),
            }
        )  # fmt: skip
        answer.set_cookie("seat", cookie, httponly=True, samesite="Strict")
        return answer

    def challenge(self, request: Request) -> Response:
        nonce = secrets.token_hex(32)
        self.nonces[nonce] = json.loads(request.data)["tablet"]
        return self.json({"nonce": nonce})

    def open_session(self, request: Request) -> Response:
        body = json.loads(request.data)
        tablet, nonce = body["tablet"], body["nonce"]
        mine = self.nonces.pop(nonce, None) == tablet and tablet not in self.revoked
        text = f"FIELD/1 session\n{tablet}\n{nonce}"
        if not mine or not signed_by(self.tablets[tablet], body["signature"], text):
            return self.error(403, "tablet")
        return self.let_in(tablet)

    def session(self, request: Request) -> str | None:
        tablet, csrf = self.sessions.get(request.cookies.get("seat", ""), ("", ""))
        written = request.method in ("POST", "PUT")
        if not tablet or tablet in self.revoked:
            return None
        return None if written and request.headers.get("X-CSRFToken") != csrf else tablet

    def sign_out(self, request: Request) -> Response:
        if not self.session(request):
            return self.error(401, "signed_out")
        del self.sessions[request.cookies["seat"]]
        return Response(status=204)

    # ---- section 2

    def pack(self, request: Request) -> Response:
        tablet = self.session(request)
        if tablet is None:
            return self.error(401, "signed_out")
        duty = {
            "kind": "sheet", "round": {"slug": "r", "title": {"zh": "届", "en": "Round"}},
            "case": None, "county": {"code": "1", "zh": "测试县", "en": "Test County"},
            "with_statement": True, "phase": "scoring", "deadline": None, "instrument": "d" * 64,
            "computed": [], "materials": [], "ready": None, "unlock_hash": None,
        }  # fmt: skip
        material = {
            "id": "m1", "item": "A1", "title": "测试材料", "mime": "text/plain", "url": "/material",
            "size": len(MATERIAL), "sha256": hashlib.sha256(MATERIAL).hexdigest(),
        }  # fmt: skip
        waits = {"code": "planned", "zh": "未开始", "en": "not begun"}
        unlock = hashlib.sha256(CODE.encode()).hexdigest()
        first = {**duty, "key": SHEET, "sheet": self.sheet(SHEET), "materials": [material]}
        second = {
            **duty, "key": LOCKED, "sheet": self.sheet(LOCKED), "ready": waits,
            "unlock_hash": unlock,
        }  # fmt: skip
        csrf = self.sessions[request.cookies["seat"]][1]
        return self.json(
            {
                "v": 1, "tablet": tablet, "account": "e" * 16, "name": "测试专家甲", "csrf": csrf,
                "server_time": self.now(), "phrases": [], "duties": [first, second],
                "instruments": {"d" * 64: {"digest": "d" * 64, "items": ITEMS, "sections": []}},
            }
        )  # fmt: skip

    def sheet(self, key: str) -> dict[str, Any] | None:
        if key not in self.state:
            return None
        told = self.told(key)
        return {
            "id": "f" * 16, "entries": self.entries.get(key, {}), **{
                name: told[name]
                for name in ("rev", "revision", "state", "active_tablet", "sealed_at", "receipt")
            }, "branch": False,
        }  # fmt: skip

    def told(self, key: str) -> dict[str, Any]:
        base = {
            "rev": 0, "revision": 1, "state": "draft", "active_tablet": None, "receipt": None,
            "sealed_at": None, "branch": False, "late": None, "pending": 0, "media_pending": [],
        }  # fmt: skip
        hashed = entries_hash(self.entries.get(key, {}))
        return {**base, **self.state.get(key, {}), "entries_hash": hashed}

    # ---- section 4

    def push(self, request: Request) -> Response:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost_request":
            return self.cut(request)
        if fault == "slow":
            self.lock.release()  # others are served meanwhile
            time.sleep(1.5)
            self.lock.acquire()
        if fault == "500":
            return self.json({"error": {"code": "fault", "text": ""}}, 500)
        if fault == "html":
            return Response("<!doctype html><p>Sign in", mimetype="text/html")
        if fault == "redirect":
            return Response(status=302, headers={"Location": "/sign-in"})
        tablet = self.session(request)
        if tablet is None:
            return self.error(401, "signed_out")
        body = json.loads(request.data)
        if len(body["ops"]) > 200 or len(request.data) > 512 * 1024:
            return self.error(413, "too_large")
        answer = self.take(tablet, body["ops"], fault)
        return self.cut(request) if fault == "lost_reply" else self.json(answer)

    def cut(self, request: Request) -> Response:
        request.environ["werkzeug.socket"].shutdown(2)
        return Response(status=500)

    def take(self, tablet: str, ops: list[dict[str, Any]], fault: str) -> dict[str, Any]:
        receipts, stopped = [], None
        self.leaf += 1
        for op in ops:
            log = self.logs[tablet, op["sheet"]]
            known = self.receipts.get(op["id"])
            if known is not None:
                assert known["hash"] == op["hash"]
                receipts.append({**known, "replayed": True})
                continue
            assert operation_hash(op) == op["hash"] and op["tablet"] == tablet
            have = log[-1]["hash"] if log else START
            if (op["seq"], op["prev"]) != (len(log) + 1, have):
                stopped = {"code": "gap", "id": op["id"], "sheet": op["sheet"],
                           "expect": len(log) + 1, "have": have}  # fmt: skip
                break
            log.append(op)
            receipts.append(self.receipts.setdefault(op["id"], self.judged(op)))
        if fault == "wrong_hash":
            receipts = [{**receipt, "hash": "0" * 64} for receipt in receipts]
        keys = {op["sheet"] for op in ops}
        answer = {
            "v": 1, "server_time": self.now(), "receipts": receipts,
            "sheets": {key: self.told(key) for key in keys},
        }  # fmt: skip
        return {**answer, "stopped": stopped} if stopped else answer

    def judged(self, op: dict[str, Any]) -> dict[str, Any]:
        """The receipt of a new operation; what it changes is changed."""
        key, kind = op["sheet"], op["kind"]
        state = self.state.setdefault(key, {"rev": 0, "active_tablet": op["tablet"]})
        receipt = {"id": op["id"], "hash": op["hash"], "status": "accepted", "leaf": self.leaf,
                   "at": self.now(), "rev": state["rev"]}  # fmt: skip
        if kind == "set" and op["new"] == "refuse me":
            return {**receipt, "status": "refused", "why": "invalid"}
        if kind == "set":
            before = self.entries.get(key, {})
            self.entries[key] = merged(ITEMS, before, {op["path"]: op["new"]})
            state["rev"] += 1
        if kind == "seal":
            if op["entries"] != entries_hash(self.entries.get(key, {})):
                return {**receipt, "status": "refused", "why": "invalid"}
            state |= {"state": "sealed", "receipt": "ABCD-EFGH-IJKL", "sealed_at": self.now()}
            receipt["code"] = "ABCD-EFGH-IJKL"
        if kind == "withdraw":
            state |= {"state": "draft", "receipt": None, "revision": 2}
        return {**receipt, "rev": state["rev"]}

    # ---- section 8

    def media(self, request: Request) -> Response:
        if self.session(request) is None:
            return self.error(401, "signed_out")
        _, _, sha, last = request.path.removeprefix("/field").split("/")[-4:]
        size = int(request.args["size"])
        count = -(-size // 262144)
        held = self.chunks[sha]
        if request.method == "PUT":
            if self.chunk_faults and self.chunk_faults.pop(0):
                return self.json({"error": {"code": "fault"}}, 500)
            data = request.data
            assert hashlib.sha256(data).hexdigest() == request.headers["X-Chunk-SHA256"]
            held[int(last)] = data
        whole = len(held) == count
        if whole:
            joined = b"".join(held[n] for n in range(count))
            assert hashlib.sha256(joined).hexdigest() == sha
        return self.json({"chunks": [n in held for n in range(count)], "complete": whole})
