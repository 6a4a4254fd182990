"""Which mail server is used, if any."""

from lotus_server.ports.mail import Mail
from lotus_server.settings import MailSettings


def mail_of(settings: MailSettings) -> Mail | None:
    """Return the way to the mail server of the settings; null without one."""
    if settings.host is None:
        return None
    from lotus_server.adapters.mail_smtp import Security, SmtpMail, SmtpServer

    return SmtpMail(
        SmtpServer(
            settings.host,
            settings.port,
            Security(settings.security),
            settings.sender,
            settings.user,
            settings.password,
        )
    )
