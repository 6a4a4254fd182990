"""What an import would do, shown on the first rows before anything is done."""

from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.imports import Import, ImportKind, ImportState, Tally
from lotus_server.usecases.import_portions import Portion, check_customers, check_events
from lotus_server.usecases.import_reading import FileRow, Reading
from lotus_server.usecases.imports import require_import, source_of
from lotus_server.usecases.services import Services

ROWS_SHOWN: Final = 20
ROWS_JUDGED: Final = 500
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


class SampleRow(msgspec.Struct, frozen=True):
    """A row as the file has it and as the API would get it, with everything that is wrong with it."""

    row: FileRow
    payload: object
    problems: tuple[str, ...]


class Preview(msgspec.Struct, frozen=True):
    """The first rows of a file, and what would become of the first `ROWS_JUDGED`."""

    import_: Import
    rows: tuple[SampleRow, ...]
    tally: Tally


def preview_import(services: Services, organization: Organization, import_id: str, reading: Reading) -> Preview:
    """Return what the first rows would be and do; no rows of an import that is not ready to be started.

    Raises NotFound `import_not_found`, Invalid `malformed_file` when the beginning cannot be read.
    """
    with services.records.snapshot() as tx:
        import_ = require_import(tx, organization, import_id)
    if import_.state is not ImportState.READY or import_.layout is None:
        return Preview(import_, (), Tally())
    asked = msgspec.structs.replace(import_, place=import_.layout.start, is_check=True)
    rows = reading.rows(asked, source_of(services, asked))
    some = [row for row, _ in zip(rows, range(ROWS_JUDGED), strict=False)]
    portion = Portion(services, organization, asked, reading, services.clock.now(), some)
    if import_.kind is ImportKind.EVENTS:
        done = check_events(portion)
    else:
        drafts = [reading.customer(row.payload) for row in portion.good]
        with services.records.snapshot() as tx:
            done = check_customers(tx, portion, drafts)
    problems = {refused.row: refused.problems for refused in done.refused}
    shown = tuple(SampleRow(row, _shown(row), problems.get(row.number, ())) for row in some[:ROWS_SHOWN])
    return Preview(import_, shown, done.tally)


def _shown(row: FileRow) -> object:
    """Return a payload as JSON; of the text of an event its members."""
    return _decode(row.payload) if isinstance(row.payload, bytes) else row.payload
