//! The ledger as a SQLite database: tables of files, rows, events and legs, and views over them.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::{Connection, Statement, params};
use rustc_hash::FxHashMap;

use super::cell::{RunTexts, text};
use super::known::APPLICATION_ID;
use super::sqlite_schema::{INDEXES, ROW_VIEWS, SCHEMA_VERSION, TABLES, balances_view};
use super::{DataError, DataJob, WrittenData};
use crate::ledger::EventRef;
use crate::output::csv_text::put_id;
use crate::output::findings::Findings;
use crate::output::readback::WrittenSums;
use crate::output::whole_file::begin_listed;

/// Nobody else sees the file until it has its name, and a run that fails leaves none: it needs no journal. The size of a
/// page is stated so that it does not depend on how SQLite was built.
const WHILE_WRITING: &str = "
PRAGMA page_size = 4096;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -65536;
PRAGMA foreign_keys = OFF;
";

pub(super) fn write(
    job: DataJob<'_>,
    file: &mut File,
    path: Option<&Path>,
) -> Result<WrittenData, DataError> {
    // SQLite writes to a name, so a file without one gets a copy.
    let Some(path) = path else {
        let begun = begin_listed(&std::env::temp_dir())?;
        let named = begun.0.path();
        let written = write_at(job, named).map_err(to_io)?;
        io::copy(&mut File::open(named)?, file)?;
        return Ok(written);
    };
    Ok(write_at(job, path).map_err(to_io)?)
}

fn write_at(job: DataJob<'_>, path: &Path) -> rusqlite::Result<WrittenData> {
    let database = Connection::open(path)?;
    database.execute_batch(WHILE_WRITING)?;
    database.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; BEGIN;"
    ))?;
    database.execute_batch(TABLES)?;
    write_files(job, &database)?;
    let (lines, events) = write_events(job, &database)?;
    write_rows(job, &database, &events)?;
    database.execute_batch(INDEXES)?;
    database.execute_batch(ROW_VIEWS)?;
    database.execute_batch(&balances_view())?;
    database.execute_batch("COMMIT;")?;
    let sums = read_back(job, &database)?;
    database.close().map_err(|(_, error)| error)?;
    Ok(WrittenData {
        lines,
        sums,
        findings: Findings::default(),
    })
}

fn write_files(job: DataJob<'_>, database: &Connection) -> rusqlite::Result<()> {
    let mut insert = database.prepare("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    let counts = job.ledger.counts();
    for (index, file) in job.ledger.files.iter().enumerate() {
        let context = &file.rows.context;
        let counts = counts[index];
        insert.execute(params![
            number(index) + 1,
            file.name,
            context.program.id,
            context.account,
            file.rows.encoding,
            counts.read,
            counts.used,
            counts.skipped,
            counts.duplicate,
            counts.rejected,
        ])?;
    }
    Ok(())
}

/// Writes events and legs. Gives the number of legs, and each row's event by number.
fn write_events(
    job: DataJob<'_>,
    database: &Connection,
) -> rusqlite::Result<(u64, FxHashMap<EventRef, i64>)> {
    let mut insert =
        database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    let mut insert_leg =
        database.prepare("INSERT INTO legs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    let mut events = FxHashMap::default();
    let mut legs = 0;
    let (mut id, mut time, mut amount, mut value) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, event) in job.ledger.events.iter().enumerate() {
        let view = job.ledger.view(event);
        let event = number(index) + 1;
        events.extend(view.members.iter().map(|at| (*at, event)));
        id.clear();
        put_id(&mut id, view.id);
        time.clear();
        view.time.write_to(&mut time);
        insert.raw_bind_parameter(1, event)?;
        insert.raw_bind_parameter(2, text(&id))?;
        insert.raw_bind_parameter(3, text(&time))?;
        insert.raw_bind_parameter(4, view.time.ns())?;
        insert.raw_bind_parameter(5, view.kind.word())?;
        for (place, bytes) in (6..).zip(view.texts()) {
            insert.raw_bind_parameter(place, (!bytes.is_empty()).then(|| text(bytes)))?;
        }
        insert.raw_execute()?;
        let mut nth = 0_i64;
        let mut result = Ok(());
        view.for_each_leg(|leg, at| {
            if result.is_err() {
                return;
            }
            legs += 1;
            nth += 1;
            amount.clear();
            leg.amount.write_to(&mut amount);
            value.clear();
            if let Some((worth, _)) = leg.value {
                worth.write_to(&mut value);
            }
            let currency = leg.value.map(|(_, currency)| job.names.asset(currency));
            result = insert_leg
                .execute(params![
                    legs,
                    event,
                    nth,
                    job.names.account(leg.account),
                    job.names.asset(leg.asset),
                    text(&amount),
                    leg.role.word(),
                    currency.map(|_| text(&value)),
                    currency,
                    number(job.ledger.file_index(at)) + 1,
                    job.ledger.line(at),
                ])
                .map(|_| ());
        });
        result?;
    }
    Ok((legs, events))
}

fn write_rows(
    job: DataJob<'_>,
    database: &Connection,
    events: &FxHashMap<EventRef, i64>,
) -> rusqlite::Result<()> {
    let mut insert = database.prepare("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)")?;
    let mut written = 0_i64;
    for (index, file) in job.ledger.files.iter().enumerate() {
        for row in job.ledger.rows(index) {
            let fate = job.ledger.fate(index, &row);
            let (word, event) = (fate.fate.word(), fate.event);
            let reason = fate.told(&file.rows.context.program);
            written += 1;
            insert.execute(params![
                written,
                number(index) + 1,
                row.line,
                word,
                event.and_then(|at| events.get(&at)),
                (!reason.is_empty()).then_some(reason),
            ])?;
        }
    }
    Ok(())
}

/// The far end of the proof: what the database says now.
fn read_back(job: DataJob<'_>, database: &Connection) -> rusqlite::Result<WrittenSums> {
    let texts = RunTexts::new(job.names);
    let mut sums = WrittenSums::default();
    let mut select: Statement<'_> =
        database.prepare("SELECT account, asset, amount FROM legs ORDER BY number")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let cell = |column: usize| -> rusqlite::Result<&[u8]> {
            Ok(row.get_ref(column)?.as_bytes().unwrap_or_default())
        };
        texts.add(&mut sums, cell(0)?, cell(1)?, cell(2)?);
    }
    Ok(sums)
}

fn number(index: usize) -> i64 {
    i64::try_from(index).expect("fewer than 2^63")
}

fn to_io(error: rusqlite::Error) -> io::Error {
    io::Error::other(error)
}
