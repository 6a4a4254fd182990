"""The records: opening a database, its transactions, and what changed in it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, make_url
from typing_extensions import override

from lotus_server.adapters.records_sql.accounts import SqlApiKeys, SqlCustomers, SqlOrganizations
from lotus_server.adapters.records_sql.ahead import (
    AheadBilledPeriods,
    AheadCredits,
    AheadCustomers,
    AheadDiscounts,
    AheadInvoices,
    AheadMetrics,
    AheadOrganizations,
    AheadPendingLines,
    AheadPlans,
    AheadSubscriptions,
    Known,
)
from lotus_server.adapters.records_sql.audit import SqlAuditLog
from lotus_server.adapters.records_sql.billed_periods import SqlBilledPeriods
from lotus_server.adapters.records_sql.billing_runs import SqlBillingRuns
from lotus_server.adapters.records_sql.changes import (
    NOTES_BETWEEN_PRUNINGS,
    Notes,
    forget_notes_of_another_server,
    prune_notes,
    write_notes,
)
from lotus_server.adapters.records_sql.credit_notes import SqlCreditNotes
from lotus_server.adapters.records_sql.credit_schedules import SqlCreditSchedules
from lotus_server.adapters.records_sql.credits import SqlCreditLedger
from lotus_server.adapters.records_sql.discounts import SqlCoupons, SqlDiscounts
from lotus_server.adapters.records_sql.engines import Database, database_at
from lotus_server.adapters.records_sql.errors import meaning_of_errors
from lotus_server.adapters.records_sql.figures import SqlFigures
from lotus_server.adapters.records_sql.imports import SqlImports
from lotus_server.adapters.records_sql.invoices import SqlInvoices
from lotus_server.adapters.records_sql.logos import SqlLogos
from lotus_server.adapters.records_sql.metrics import SqlMetrics
from lotus_server.adapters.records_sql.migrations import upgrade
from lotus_server.adapters.records_sql.pending_lines import SqlPendingLines
from lotus_server.adapters.records_sql.people import SqlPeople
from lotus_server.adapters.records_sql.plans import SqlFeatures, SqlPlans, SqlPricingUnits
from lotus_server.adapters.records_sql.portals import SqlPortals
from lotus_server.adapters.records_sql.replies import SqlReplies
from lotus_server.adapters.records_sql.revenue_book import SqlRevenueBook
from lotus_server.adapters.records_sql.spend_watches import SqlSpendWatches
from lotus_server.adapters.records_sql.subscriptions import SqlSubscriptions
from lotus_server.adapters.records_sql.wallets import SqlWallets
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.errors import Unavailable
from lotus_server.ports.records import Change


class SqlTransaction:
    """Everything that can be read and written within one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Work on a connection whose transaction has begun."""
        self._connection = connection
        self.notes = Notes()

    @property
    def organizations(self) -> SqlOrganizations:
        """The tenants."""
        return SqlOrganizations(self._connection, self.notes)

    @property
    def logos(self) -> SqlLogos:
        """The logos of organizations."""
        return SqlLogos(self._connection)

    @property
    def portals(self) -> SqlPortals:
        """The portals of organizations."""
        return SqlPortals(self._connection)

    @property
    def imports(self) -> SqlImports:
        """The imports."""
        return SqlImports(self._connection)

    @property
    def api_keys(self) -> SqlApiKeys:
        """The API keys."""
        return SqlApiKeys(self._connection, self.notes)

    @property
    def customers(self) -> SqlCustomers:
        """The customers."""
        return SqlCustomers(self._connection, self.notes)

    @property
    def metrics(self) -> SqlMetrics:
        """The metrics."""
        return SqlMetrics(self._connection, self.notes)

    @property
    def features(self) -> SqlFeatures:
        """The features."""
        return SqlFeatures(self._connection, self.notes)

    @property
    def plans(self) -> SqlPlans:
        """The plans and their versions."""
        return SqlPlans(self._connection, self.notes)

    @property
    def pricing_units(self) -> SqlPricingUnits:
        """The pricing units."""
        return SqlPricingUnits(self._connection)

    @property
    def subscriptions(self) -> SqlSubscriptions:
        """The subscriptions."""
        return SqlSubscriptions(self._connection, self.notes)

    @property
    def invoices(self) -> SqlInvoices:
        """The invoices."""
        return SqlInvoices(self._connection)

    @property
    def billed_periods(self) -> SqlBilledPeriods:
        """The periods whose usage was invoiced."""
        return SqlBilledPeriods(self._connection)

    @property
    def pending_lines(self) -> SqlPendingLines:
        """The lines that wait for their customer's next invoice."""
        return SqlPendingLines(self._connection)

    @property
    def billing_runs(self) -> SqlBillingRuns:
        """The billing runs under way."""
        return SqlBillingRuns(self._connection)

    @property
    def spend_watches(self) -> SqlSpendWatches:
        """The subscriptions whose usage is compared with thresholds."""
        return SqlSpendWatches(self._connection)

    @property
    def coupons(self) -> SqlCoupons:
        """The coupons."""
        return SqlCoupons(self._connection)

    @property
    def discounts(self) -> SqlDiscounts:
        """The discounts that customers have."""
        return SqlDiscounts(self._connection)

    @property
    def credit_notes(self) -> SqlCreditNotes:
        """The credit notes."""
        return SqlCreditNotes(self._connection)

    @property
    def credits(self) -> SqlCreditLedger:
        """The credit ledger."""
        return SqlCreditLedger(self._connection, self.notes)

    @property
    def credit_schedules(self) -> SqlCreditSchedules:
        """The schedules by which credit is given."""
        return SqlCreditSchedules(self._connection)

    @property
    def wallets(self) -> SqlWallets:
        """The settings of wallets, and the top-ups wanted."""
        return SqlWallets(self._connection)

    @property
    def revenue(self) -> SqlRevenueBook:
        """Revenue by day."""
        return SqlRevenueBook(self._connection)

    @property
    def figures(self) -> SqlFigures:
        """What there is, counted."""
        return SqlFigures(self._connection)

    @property
    def replies(self) -> SqlReplies:
        """The stored replies."""
        return SqlReplies(self._connection)

    @property
    def people(self) -> SqlPeople:
        """The people who sign in."""
        return SqlPeople(self._connection)

    @property
    def audit(self) -> SqlAuditLog:
        """Who changed what."""
        return SqlAuditLog(self._connection)

    @contextmanager
    def read_ahead(
        self,
        subscriptions: Sequence[Subscription],
        causes: Sequence[str],
        at: datetime,
        *,
        without_past: Collection[tuple[str, str]] = (),
    ) -> Iterator["SqlTransaction"]:
        """Open a part of this transaction in which billing subscriptions costs no query for each."""
        known = Known(self._connection, self.notes)
        known.read(subscriptions, causes, at, frozenset(without_past))
        yield SqlBatch(known)
        known.backlog.flush()


class SqlBatch(SqlTransaction):
    """A part of a transaction that answers from what was read ahead, and writes together."""

    def __init__(self, known: Known) -> None:
        """Work on what is known and its backlog."""
        super().__init__(known.connection)
        self.notes = known.notes
        # Made once: billing an invoice asks for some twenty of them.
        self._organizations = AheadOrganizations(known)
        self._customers = AheadCustomers(known)
        self._metrics = AheadMetrics(known)
        self._plans = AheadPlans(known)
        self._subscriptions = AheadSubscriptions(known)
        self._billed_periods = AheadBilledPeriods(known)
        self._discounts = AheadDiscounts(known)
        self._invoices = AheadInvoices(known)
        self._pending_lines = AheadPendingLines(known)
        self._credits = AheadCredits(known)

    @property
    @override
    def organizations(self) -> SqlOrganizations:
        return self._organizations

    @property
    @override
    def customers(self) -> SqlCustomers:
        return self._customers

    @property
    @override
    def metrics(self) -> SqlMetrics:
        return self._metrics

    @property
    @override
    def plans(self) -> SqlPlans:
        return self._plans

    @property
    @override
    def subscriptions(self) -> SqlSubscriptions:
        return self._subscriptions

    @property
    @override
    def billed_periods(self) -> SqlBilledPeriods:
        return self._billed_periods

    @property
    @override
    def discounts(self) -> SqlDiscounts:
        return self._discounts

    @property
    @override
    def invoices(self) -> SqlInvoices:
        return self._invoices

    @property
    @override
    def pending_lines(self) -> SqlPendingLines:
        return self._pending_lines

    @property
    @override
    def credits(self) -> SqlCreditLedger:
        return self._credits


class SqlRecords:
    """A database of records. It may be used from any number of threads; a transaction belongs to one."""

    def __init__(self, database: Database) -> None:
        """Use a database whose schema is the newest."""
        self._database = database
        self._feed = database.feed()
        self._notes_until_pruning = NOTES_BETWEEN_PRUNINGS

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at an address (`sqlite:///path`, `postgresql://...`) and bring its schema to the newest.

        Raises Unavailable when it cannot be reached or its schema is locked, ValueError for another kind of address.
        """
        with meaning_of_errors(), ExitStack() as undo:
            database = database_at(make_url(url))
            undo.callback(database.close)
            with database.migrating() as connection:
                upgrade(connection)
                if connection.dialect.name == "postgresql":
                    forget_notes_of_another_server(connection)
                prune_notes(connection)
            opened = cls(database)
            undo.pop_all()
            return opened

    @classmethod
    def open_as_it_is(cls, url: str) -> Self:
        """Open the database at an address whose schema somebody else has brought to the newest. Raises Unavailable."""
        with meaning_of_errors():
            return cls(database_at(make_url(url)))

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Open a transaction that may write; it commits when the block ends and rolls back when it raises."""
        with meaning_of_errors():
            with self._database.writing() as connection:
                transaction = SqlTransaction(connection)
                yield transaction
                note_count = write_notes(connection, transaction.notes)
            if note_count:
                self._prune_now_and_then(note_count)

    @contextmanager
    def snapshot(self) -> Iterator[SqlTransaction]:
        """Open a transaction that only reads, and sees one state throughout."""
        with meaning_of_errors(), self._database.reading() as connection:
            yield SqlTransaction(connection)

    def changes(self) -> list[Change] | None:
        """Return what changed since this was last called; null means anything may have changed."""
        with meaning_of_errors():
            return self._feed.changes()

    def _prune_now_and_then(self, note_count: int) -> None:
        # Two threads may miscount; pruning a little earlier or later is all that comes of it.
        self._notes_until_pruning -= note_count
        if self._notes_until_pruning > 0:
            return
        self._notes_until_pruning = NOTES_BETWEEN_PRUNINGS
        # What the caller wanted is committed, and whoever comes next can prune.
        with suppress(Unavailable), meaning_of_errors(), self._database.writing() as connection:
            prune_notes(connection)

    def close(self) -> None:
        """Release every connection."""
        self._feed.close()
        self._database.close()
