"""The only reader of the environment and of the command line's paths.

Every setting with its name, meaning and default.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import parse_instant


class MailSettings(msgspec.Struct, frozen=True):
    """The mail server that delivers what is sent to people; its host is null where there is none."""

    host: str | None = None
    port: int = 587
    security: str = "starttls"
    sender: str = "Lotus <lotus@localhost>"
    user: str | None = None
    password: str | None = None


class Settings(msgspec.Struct, frozen=True):
    """How a server is set up. A value given on the command line wins over the environment."""

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = Path("data")
    bootstrap_api_key: str | None = None
    bootstrap_type: str = "production"
    bootstrap_now: datetime | None = None
    log_format: str = "text"
    public_url_said: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    mail: MailSettings = MailSettings()

    @property
    def public_url(self) -> str:
        """Return where people find the web app, without a final slash: what was said, or where the server listens."""
        if self.public_url_said is not None:
            return self.public_url_said
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def records_url(self) -> str:
        """Return the address of the records' database."""
        return f"sqlite:///{self.data / 'lotus.db'}"


def read_settings(
    environment: Mapping[str, str] | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    data: Path | None = None,
) -> Settings:
    """Return the settings. Raises Invalid that names every variable with a wrong value.

    Variables: LOTUS_HOST, LOTUS_PORT, LOTUS_DATA, LOTUS_BOOTSTRAP_API_KEY, LOTUS_BOOTSTRAP_TYPE, LOTUS_BOOTSTRAP_NOW,
    LOTUS_LOG_FORMAT, LOTUS_PUBLIC_URL, LOTUS_TRUSTED_PROXIES, LOTUS_MAIL_FROM, LOTUS_SMTP_HOST, LOTUS_SMTP_PORT,
    LOTUS_SMTP_SECURITY, LOTUS_SMTP_USER, LOTUS_SMTP_PASSWORD.
    """
    found = os.environ if environment is None else environment
    problems = Problems()
    defaults = Settings()
    bootstrap_type = found.get("LOTUS_BOOTSTRAP_TYPE", defaults.bootstrap_type)
    if bootstrap_type not in {"production", "sandbox"}:
        problems.add("LOTUS_BOOTSTRAP_TYPE", "invalid", "LOTUS_BOOTSTRAP_TYPE is `production` or `sandbox`.")
    log_format = found.get("LOTUS_LOG_FORMAT", defaults.log_format)
    if log_format not in {"text", "json"}:
        problems.add("LOTUS_LOG_FORMAT", "invalid", "LOTUS_LOG_FORMAT is `text` or `json`.")
    settings = Settings(
        host=host or _host(found) or defaults.host,
        port=port if port is not None else _port(found, "LOTUS_PORT", defaults.port, problems),
        data=data or Path(found.get("LOTUS_DATA") or defaults.data),
        bootstrap_api_key=_api_key(found, problems),
        bootstrap_type=bootstrap_type,
        bootstrap_now=_instant(found, problems),
        log_format=log_format,
        public_url_said=_public_url(found, problems),
        trusted_proxies=_trusted_proxies(found, problems),
        mail=_mail(found, problems),
    )
    problems.raise_if_any()
    return settings


def _host(found: Mapping[str, str]) -> str | None:
    """Return the address to listen on. The client libraries read the same variable as a URL; of one the host counts."""
    text = found.get("LOTUS_HOST", "")
    return urlsplit(text).hostname if "://" in text else text or None


def _api_key(found: Mapping[str, str], problems: Problems) -> str | None:
    text = found.get("LOTUS_BOOTSTRAP_API_KEY")
    if text and (not text.isascii() or not text.isprintable() or " " in text):
        detail = "LOTUS_BOOTSTRAP_API_KEY has only ASCII characters and no spaces: it is sent in a header."
        problems.add("LOTUS_BOOTSTRAP_API_KEY", "invalid", detail)
    return text or None


def _port(found: Mapping[str, str], name: str, default: int, problems: Problems) -> int:
    text = found.get(name)
    if not text:
        return default
    if not text.isdecimal() or not 0 <= int(text) <= 65_535:
        problems.add(name, "invalid", f"{name} is a number from 0 to 65535.")
        return default
    return int(text)


def _public_url(found: Mapping[str, str], problems: Problems) -> str | None:
    text = (found.get("LOTUS_PUBLIC_URL") or "").rstrip("/")
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query or parts.fragment:
        detail = "LOTUS_PUBLIC_URL is the address of the web app without a path, such as https://billing.example.com."
        problems.add("LOTUS_PUBLIC_URL", "invalid", detail)
    return text


def _trusted_proxies(found: Mapping[str, str], problems: Problems) -> tuple[str, ...]:
    """Return the addresses and networks whose word counts about where a request comes from."""
    said = tuple(each.strip() for each in found.get("LOTUS_TRUSTED_PROXIES", "").split(",") if each.strip())
    for each in said:
        try:
            ip_network(each)
        except ValueError:
            detail = f"LOTUS_TRUSTED_PROXIES are addresses or networks with commas between them; {each!r} is neither."
            problems.add("LOTUS_TRUSTED_PROXIES", "invalid", detail)
    return said


def _mail(found: Mapping[str, str], problems: Problems) -> MailSettings:
    defaults = MailSettings()
    security = found.get("LOTUS_SMTP_SECURITY") or defaults.security
    if security not in {"starttls", "tls", "none"}:
        problems.add("LOTUS_SMTP_SECURITY", "invalid", "LOTUS_SMTP_SECURITY is `starttls`, `tls` or `none`.")
    sender = found.get("LOTUS_MAIL_FROM") or defaults.sender
    if "@" not in sender or not sender.isprintable():
        detail = "LOTUS_MAIL_FROM is an address, such as Lotus <billing@example.com>."
        problems.add("LOTUS_MAIL_FROM", "invalid", detail)
    return MailSettings(
        host=found.get("LOTUS_SMTP_HOST") or None,
        port=_port(found, "LOTUS_SMTP_PORT", defaults.port, problems),
        security=security,
        sender=sender,
        user=found.get("LOTUS_SMTP_USER") or None,
        password=found.get("LOTUS_SMTP_PASSWORD") or None,
    )


def _instant(found: Mapping[str, str], problems: Problems) -> datetime | None:
    text = found.get("LOTUS_BOOTSTRAP_NOW")
    if not text:
        return None
    instant = parse_instant(text)
    if instant is None:
        problems.add("LOTUS_BOOTSTRAP_NOW", "invalid", "LOTUS_BOOTSTRAP_NOW is an RFC 3339 time.")
    return instant
