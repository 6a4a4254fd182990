"""What happens because time passes, in its order.

Periods are billed, then usage that has reached a threshold, then what waited for an invoice, then credit is settled.
"""

from datetime import datetime

from lotus_server.domain.accounts import Organization
from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.credit_settlement import settle_credits_due
from lotus_server.usecases.pending_billing import bill_pending_due
from lotus_server.usecases.services import Services
from lotus_server.usecases.threshold_billing import bill_thresholds


def do_what_is_due(
    services: Services, *, until: datetime | None = None, organization: Organization | None = None
) -> int:
    """Do everything that is due by `until` (default: the present), and return the number of steps.

    Without an organization it is that of those that live in real time. Each invoice settles its customer's credit up to
    its own instant, so what is left for the end is what lies after the last invoice.
    """
    now = until or services.clock.now()
    steps = bill_due(services, until=now, organization=organization)
    steps += bill_thresholds(services, until=now, organization=organization)
    steps += bill_pending_due(services, until=now, organization=organization)
    return steps + settle_credits_due(services, until=now, organization=organization)
