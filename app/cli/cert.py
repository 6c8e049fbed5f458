"""`mingjian cert make | renew | show`: the office's certificate authority and the server's certificate."""

from __future__ import annotations

import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from app import certificates, clock
from app import keys as key_files
from app.config import Settings

HOME = click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)


@click.group("cert")
def cert_group() -> None:
    """The certificate that tablets in the office's network trust.

    Without it a browser offers neither offline scoring nor camera and recording. The authority's key
    stays on this machine (mode 0600, outside database and backups) and signs for the given names only.
    """


@cert_group.command()
@HOME
@click.argument("names", nargs=-1, required=True, metavar="NAME-OR-ADDRESS...")
@click.option("--office", default="", help="Shown on the tablet beside the certificate")
@click.option("--new-authority", is_flag=True, help="Replace the authority: every tablet anew")
def make(home: str | None, names: tuple[str, ...], office: str, new_authority: bool) -> None:
    """Make the office's authority and the server's certificate for host names or IP addresses."""
    settings = _settings(home)
    known = certificates.make(
        settings.tls, list(names), clock.now(), office=office, replace=new_authority
    )
    click.echo(f"已在 {settings.tls} 生成本单位的根证书和服务器证书")
    click.echo(f"made an office authority and a server certificate in {settings.tls}")
    _tell(settings, known)
    address = f"https://{_shown(known.names[0])}:8443"
    if sys.platform == "win32":  # its server speaks no TLS
        click.echo(f"下一步 / Next: mingjian serve --public-url {address}  (docs/windows.md)")
    else:
        click.echo(f"下一步 / Next: mingjian serve --lan --public-url {address}")
    if new_authority:
        click.echo(
            "请在每台平板和电脑上安装新的根证书，并删除旧的。\n"
            "Install the new authority on every tablet and computer; remove the old one there."
        )


@cert_group.command()
@HOME
def renew(home: str | None) -> None:
    """Make a new certificate of the server under the same authority: tablets notice nothing."""
    settings = _settings(home)
    known = certificates.renew(settings.tls, clock.now())
    click.echo("服务器证书已更新，根证书不变。请重新启动服务。")
    click.echo("renewed the server certificate; the authority is the same. Restart the server.")
    _tell(settings, known)


@cert_group.command()
@HOME
def show(home: str | None) -> None:
    """Show names, dates and the fingerprint to compare with what a tablet shows."""
    settings = _settings(home)
    _tell(settings, certificates.read(settings.tls))


def _settings(home: str | None) -> Settings:
    settings = Settings.from_environment(home)
    key_files.load(settings.keys)  # an installation, not some directory that was typed by mistake
    return settings


def _tell(settings: Settings, known: certificates.Certificates) -> None:
    def day(moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(settings.timezone)).strftime("%Y-%m-%d")

    left = known.days_left(clock.now())
    click.echo(f"authority     {known.office}, until {day(known.authority_until)}")
    click.echo(f"server        {', '.join(known.names)}")
    click.echo(f"              until {day(known.server_until)} ({left} days left)")
    click.echo("根证书的 SHA-256（与平板上显示的逐位核对）：")
    click.echo("SHA-256 of the authority (compare it with what the tablet shows):")
    for line in certificates.grouped(known.fingerprint):
        click.echo(f"  {line}")
    if left < certificates.WARN_DAYS:
        click.echo(
            "注意: 服务器证书即将到期，请运行 mingjian cert renew。\n"
            "warning: the server certificate ends soon; run mingjian cert renew.",
            err=True,
        )


def _shown(name: str) -> str:
    return f"[{name}]" if ":" in name else name
