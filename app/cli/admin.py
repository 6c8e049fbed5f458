"""`mingjian init | serve | user | doctor | backup | restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import installation
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.ledger import restored

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.config import Settings

HOME = click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)


@click.command()
@HOME
@click.option("--public-url", help="Address in links and QR codes, such as https://HOST:8443; kept")
def init(home: str | None, public_url: str | None = None) -> None:
    """Make keys and database (or bring an old one up to date); print a sign-up link.

    The link makes the first administrator, works once, and for one hour. Run again before it was
    used, a new link is printed and the one before ends.
    """
    from app import config
    from app.accounts import operations, queries
    from app.cli import serving

    address = serving.check_address(public_url) if public_url else None
    parts = installation.create(home)
    if address:
        config.keep_served(parts.settings.home, address)
    with parts.database.write() as session:
        fresh = not queries.accounts_with_roles(session)
        if fresh:
            _load_basics(session)
            token = operations.first_link(session)
    where = parts.settings
    click.echo(f"installation  {where.home}")
    click.echo(f"public key    {parts.keys.public.hex()}")
    parts.close()
    if fresh:
        click.echo("请在一小时内打开以下一次性链接，注册第一位系统管理员：")
        click.echo("Sign up the first administrator within one hour (the link works once):")
        click.echo(f"  {address or where.public_url}/join/{token}")
        click.echo("先运行 mingjian serve，链接才能打开。")
        click.echo("It opens once `mingjian serve` is running.")
        click.echo("请把 keys 目录的副本封存在信封里，与备份分开保管。")
        click.echo("Keep a copy of the keys directory in a sealed envelope, apart from backups.")
    else:
        click.echo("数据库已是本版本的结构；已有账号。")
        click.echo("The database is at this version's schema; accounts exist already.")


def _load_basics(session: Session) -> None:
    """What every installation starts with: the regions and the forms of the library. An `init` that
    was run before the first sign-up has loaded the regions already."""
    from sqlalchemy import select

    from app.directory.models import Region
    from app.directory.operations import load_regions
    from app.programme.operations import load_forms

    if session.scalar(select(Region.id).limit(1)) is None:
        load_regions(session, None)
    load_forms(session, None)


@click.command()
@HOME
@click.option("--host", help="Address to listen on [default: 127.0.0.1; with --lan 0.0.0.0]")
@click.option("--port", type=int, help="[default: 8000; with --lan the public URL's]")
@click.option("--workers", default=2, show_default=True)
@click.option("--lan", is_flag=True, help="Serve the local network over TLS (see mingjian cert)")
@click.option("--public-url", help="Address in links and QR codes, such as https://HOST:8443; kept")
@click.option(
    "--install-port",
    default=8080,
    show_default=True,
    help="With --lan: plain http, only the page from which the certificate is installed; 0: none",
)
def serve(
    home: str | None,
    host: str | None,
    port: int | None,
    workers: int,
    lan: bool = False,
    public_url: str | None = None,
    install_port: int = 8080,
) -> None:
    """Serve with gunicorn (waitress on Windows).

    On a network without internet: mingjian cert make HOST, then
    mingjian serve --lan --public-url https://HOST:8443
    """
    from app import config
    from app.cli import install_page, serving

    settings = config.Settings.from_environment(home)
    whole = _keys_are_there(settings)
    made = serving.plan(
        settings,
        sys.platform,
        lan=lan,
        public_url=public_url,
        host=host,
        port=port,
        install_port=install_port,
    )
    if whole:
        _before_serving(installation.open_existing(home))
    if made.tls is not None:
        serving.bind(made.host, made.port).close()  # gunicorn would try for a while
    page = serving.bind(made.host, made.install_port) if made.tls and made.install_port else None
    if public_url:
        config.keep_served(settings.home, made.public_url)
    os.environ["MINGJIAN_HOME"] = str(settings.home)
    if public_url:
        os.environ["MINGJIAN_PUBLIC_URL"] = made.public_url
    if sys.platform == "win32":
        from waitress import serve as wait

        from app.factory import served

        listening = serving.bind(made.host, made.port, anew=False)
        click.echo(f"serving    http://{made.host}:{made.port}  (Ctrl-C 停止 / stops it)")
        wait(served(), sockets=[listening], threads=8)
        return
    from gunicorn.app.wsgiapp import WSGIApplication

    if made.tls is not None:
        click.echo(f"serving    {made.public_url}")
    if page is not None and made.tls is not None:
        _keep.append(install_page.start(page, made.tls, made.public_url))
        page.close()
        click.echo(
            f"certificate  {serving.install_address(made)}  "
            "(新平板先打开这个地址 / open this on a new tablet first)"
        )
    sys.argv = serving.gunicorn(made, workers)
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()


def _keys_are_there(settings: Settings) -> bool:
    """False, and said, when an installation lost a key: one page then tells everybody. DomainError
    where there is no installation at all."""
    from app import keys as key_files

    try:
        key_files.load(settings.keys)
    except DomainError as error:
        if not installation.has_database(settings):
            raise
        click.echo(f"错误: {error.text.zh}\nerror: {error.text.en}", err=True)
        return False
    return True


def _before_serving(parts: installation.Installation) -> None:
    with closing(parts):
        if restored.path(parts.settings.home).exists():
            with parts.database.write():
                pass  # a restore is on record before the first page is served
        _sweep(parts)


_keep: list[object] = []  # the listener's pipe stays open as long as the server runs


@click.group()
def user() -> None:
    """Accounts from the command line, for whoever holds the machine."""


@user.command("add")
@HOME
@click.option("--role", required=True)
@click.option("--name", required=True, help="The person's name")
@click.option("--login", required=True)
@click.option("--password", help="Without it a one-time link is printed")
def user_add(home: str | None, role: str, name: str, login: str, password: str | None) -> None:
    """Add a person with an account and one role.

    Staff set up their authenticator at the link, or at the first sign-in with the password, and can
    do nothing before. The command makes the first supervisor only: a supervisor invites the next.
    """
    from app.accounts import operations, queries
    from app.directory.models import Person

    hashed = None
    if password:
        operations.check_password(login, password)
        hashed = operations.hash_password(password)
    parts = installation.open_existing(home)
    with closing(parts), parts.database.write() as session:
        if role == "supervisor" and queries.supervisor_exists(session):
            raise Forbidden(
                Text(
                    "已有监督人员：后来的监督人员由监督人员在“账号与角色”页邀请。没有创建账号。",
                    "There has been a supervisor: a supervisor invites the next on the page "
                    "“Accounts and roles”. No account was created.",
                )
            )
        account = operations.create_account(
            session,
            None,
            person=Person(name=name),
            login=login,
            password_hash=hashed,
            role=role,
        )
        token = None
        if not password:
            token = operations.invite(session, None, purpose="reset", person_id=account.person_id)
    click.echo(f"已新建账号 {login}（{role}）\nadded {login} ({role})")
    if token:
        click.echo(f"  {parts.settings.public_url}/join/{token}")
    elif operations.needs_second_factor(role, parts.settings.demo):
        click.echo("首次登录须绑定动态口令；绑定之前不能办理其他事项。")
        click.echo("The first sign-in sets up the authenticator; nothing else works before.")


def _sweep(parts: installation.Installation) -> None:
    """Drop what tablets began to send and never finished."""
    from app import clock
    from app.files.chunks import Chunks

    gone = Chunks(parts.store).sweep(clock.now())
    if gone:
        click.echo(
            f"已清理 {gone} 个平板三十天前开始上传、一直没有传完的文件\n"
            f"swept  {gone} file(s) that a tablet began to send over 30 days ago"
        )


@click.command()
@HOME
def doctor(home: str | None) -> None:
    """Check every invariant over live data, by name; exit 1 when one is broken. Pieces of photos and
    recordings that a tablet stopped sending 30 days ago are dropped.

    The supervision room shows the result with its time, until the next full verification.
    """
    from app.home import care
    from app.supervision import verification

    parts = installation.open_existing(home)
    _sweep(parts)
    with parts.database.read() as session:
        made = verification.everything(session, parts.keys, parts.store)
    with suppress(OSError):  # another user's directory: the result is printed all the same
        verification.keep(parts.settings.home, made)
    with parts.database.read() as session:
        cared = care.look(session, parts.settings, parts.keys)
    parts.close()
    for check in made.checks:
        click.echo(f"{'ok    ' if not check.count else 'BROKEN'} {check.name}")
        for fault in check.faults:
            click.echo(f"         {fault.zh} / {fault.en}")
    broken = sum(bool(check.count) for check in made.checks)
    click.echo(
        "所有核对均通过\nall invariants hold"
        if not broken
        else f"{broken} 项核对未通过\n{broken} broken"
    )
    for finding in cared.findings:
        if finding.code != "checks":  # said above, one by one
            click.echo(f"注意: {finding.what.zh}。{finding.todo.zh}", err=True)
            click.echo(f"warning: {finding.what.en}. {finding.todo.en}", err=True)
    sys.exit(1 if broken else 0)


@click.command("backup")
@HOME
@click.argument("target", type=click.Path(path_type=Path))
def backup_command(home: str | None, target: Path) -> None:
    """Write a backup to TARGET while the server is in use."""
    from app import clock
    from app.backup import backup, sha256_of
    from app.home.keepsakes import Saved, keep_saved
    from app.home.operations import record_backup

    parts = installation.open_existing(home)
    with closing(parts):
        at = clock.now()
        head = backup(parts, target)
        size = target.stat().st_size
        click.echo(f"{target}  {size} bytes\nhead {head}")
        made = Saved(at, target.name, str(head), size, sha256_of(target))
        with _noted("backup"):
            keep_saved(parts.settings.home, made)
            with parts.database.write() as session:
                record_backup(session, made)


@contextmanager
def _noted(what: str) -> Iterator[None]:
    """What was done is done: that it could not be put on record is said, and no failure of it."""
    try:
        yield
    except Exception as error:
        why = error.text.en if isinstance(error, DomainError) else str(error).partition("\n")[0]
        click.echo(
            f"注意: 已完成，但没能记录在案（{why}）。\n"
            f"warning: the {what} is whole, but could not be put on record ({why}).",
            err=True,
        )


@click.command("restore")
@HOME
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--keys", type=click.Path(path_type=Path), help="Directory with the sealed key copies"
)
@click.option("--drill", is_flag=True, help="Try it in a temporary place, record the result")
def restore_command(home: str | None, source: Path, keys: Path | None, drill: bool = False) -> None:
    """Load backup SOURCE into an empty installation (made when it is not there).

    With --drill SOURCE is restored into a temporary place, checked with the keys (or with --keys, the
    sealed copies), and removed; exit 1 when it did not go well.
    """
    if drill:
        _drill(home, source, keys)
        return
    from app import backup
    from app import keys as key_files
    from app.config import Settings

    # Everything that can be refused is refused before anything is created.
    content = backup.check(source)
    settings = Settings.from_environment(home)
    there = installation.has_database(settings)
    if there and key_files.exist(settings.keys):
        with closing(installation.open_existing(home)) as found:
            backup.require_empty(found)
    if keys is not None:
        copies = key_files.load(keys)
        if there or key_files.exist(settings.keys):
            raise Conflict(
                Text(
                    "目标已有密钥或数据库，未作任何改动。请在新目录中恢复。",
                    "The target has keys or a database already and was left unchanged. Restore into "
                    "a new place.",
                )
            )
        if copies.public != content.public:
            raise DomainError(
                Text(
                    f"{keys} 中的密钥不是此备份的密钥。未作任何改动；请找出同一套封存的密钥。",
                    f"The keys in {keys} are not those of this backup. Nothing was changed; find the "
                    "sealed copies that belong to it.",
                )
            )
        key_files.write(settings.keys, copies)
    with closing(installation.create(home)) as parts:
        head = backup.restore(parts, source)
        own = parts.keys.public == content.public
    click.echo(f"已恢复 {source}\nrestored {source}\nhead {head}")
    if not own:
        click.echo(
            "注意：密钥不在备份中，这里用的是另一套密钥：身份证号和电话无法解密，检查点签名无法核对。"
            f"请把封存的密钥文件放回 {settings.keys}。\n"
            "warning: keys are not in a backup and this place has others: ID and phone numbers "
            "cannot be decrypted and signed checkpoints do not check. Put the sealed key files "
            f"back into {settings.keys}.",
            err=True,
        )


def _drill(home: str | None, source: Path, keys: Path | None) -> None:
    from app.drill import drill
    from app.home.keepsakes import keep_drill
    from app.home.operations import record_drill

    with closing(installation.open_existing(home)) as parts:
        made = drill(source, parts.settings, keys or parts.settings.keys)
        with _noted("drill"):
            keep_drill(parts.settings.home, made)
            with parts.database.write() as session:
                record_drill(session, made)
    if made.ok:
        click.echo(f"恢复演练成功：{source}，{made.seconds} 秒\n{made.said.zh}")
        click.echo(f"drill well: {source}, {made.seconds} s\n{made.said.en}\nhead {made.head}")
        return
    click.echo(f"错误: 恢复演练没有成功：{made.said.zh}", err=True)
    click.echo(f"error: the restore drill failed: {made.said.en}", err=True)
    sys.exit(1)
