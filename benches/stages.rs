//! The stages of a conversion, each alone and on one thread: split, decode, map, sort, write.
//!
//! The export that they work on is made here: 50,000 rows in the shape of a Binance.US export, the same on every machine.
//! Throughput is in rows of that export, so that the stages can be compared and added up.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coinfold::convert::{
    Batch, FileContext, FileRows, Opened, Options, Reading, RunNames, Worker, convert, open,
};
use coinfold::input::{Chunk, CutMode, Document, Position, RecordReader, Source, discover};
use coinfold::ledger::{Ledger, Period};
use coinfold::mapping::Library;
use coinfold::mapping::cell::{AmountReader, TimeReader, Zone};
use coinfold::model::Time;
use coinfold::output::{Format, write_ledger};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 50_000;

const HEADER: &str = "User_Id,Time,Category,Operation,Order_Id,Transaction_Id,\
    Primary_Asset,Realized_Amount_For_Primary_Asset,Realized_Amount_For_Primary_Asset_In_USD_Value,\
    Base_Asset,Realized_Amount_For_Base_Asset,Realized_Amount_For_Base_Asset_In_USD_Value,\
    Quote_Asset,Realized_Amount_For_Quote_Asset,Realized_Amount_For_Quote_Asset_In_USD_Value,\
    Fee_Asset,Realized_Amount_For_Fee_Asset,Realized_Amount_For_Fee_Asset_In_USD_Value,\
    Payment_Method,Withdrawal_Method,Additional_Note\n";

/// Column of the times, and those of the amounts.
const TIME: usize = 1;
const AMOUNTS: [usize; 8] = [7, 8, 10, 11, 13, 14, 16, 17];

/// Assets, and how many of them a dollar buys.
const ASSETS: [(&str, f64); 10] = [
    ("BTC", 0.00003),
    ("ETH", 0.0005),
    ("BNB", 0.003),
    ("ADA", 2.0),
    ("SOL", 0.025),
    ("DOGE", 12.0),
    ("MATIC", 1.1),
    ("SUSHI", 0.9),
    ("AVAX", 0.06),
    ("SHIB", 90_000.0),
];

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    fn dollars(&mut self) -> f64 {
        5.0 + self.below(3_000_000) as f64 / 1000.0
    }

    fn asset(&mut self) -> (&'static str, f64) {
        ASSETS[self.below(ASSETS.len() as u64) as usize]
    }
}

/// An export: of 100 rows 70 trades, 15 staking rewards, 5 deposits, 5 withdrawals, 5 instant buys; in the order of time,
/// but 3 of 100 up to an hour late.
fn export() -> String {
    const NONE: &str = r#""","","""#;
    let mut dice = Dice(1);
    let mut text = String::from(HEADER);
    let mut digits = Vec::new();
    for row in 0..ROWS as u64 {
        let late_ms = if dice.below(100) < 3 {
            dice.below(3_600_000)
        } else {
            0
        };
        let time_ms = 1_569_888_000_000 + row * 2_300_000 + dice.below(2_300_000) - late_ms;
        digits.clear();
        Time::new(time_ms as i64 * 1_000_000, 3).write_to(&mut digits);
        let time = String::from_utf8_lossy(&digits)
            .replace('T', " ")
            .replace('Z', "");
        let (order, trade) = (88_000_000 + 7 * row, 880_000_000 + row);
        let (asset, for_dollar) = dice.asset();
        let dollars = dice.dollars();
        let amount = format!("{:.8}", dollars * for_dollar);
        let fee = dollars * 0.00075;
        let note = if dice.below(1000) == 0 {
            r#""by hand, see ticket 7""#
        } else {
            r#""""#
        };
        let written = match dice.below(100) {
            0..70 => {
                let operation = if dice.below(100) < 55 { "Buy" } else { "Sell" };
                writeln!(
                    text,
                    "35002704,{time},Spot Trading,{operation},{order},{trade},{NONE},{asset},{amount},{dollars:.6},\
                     USD,{dollars:.4},{dollars:.6},BNB,{:.8},{fee:.6},Wallet,\"\",{note}",
                    fee * 0.003
                )
            }
            70..85 => writeln!(
                text,
                "35002704,{time},Distribution,Staking Rewards,{order},{trade},{asset},{amount},{dollars:.6},{NONE},{NONE},{NONE},Wallet,\"\",{note}"
            ),
            85..90 => writeln!(
                text,
                "35002704,{time},Deposit,Crypto Deposit,{order},{order},{asset},{amount},{dollars:.6},{NONE},{NONE},{NONE},Wallet,\"\",{note}"
            ),
            90..95 => writeln!(
                text,
                "35002704,{time},Withdrawal,Crypto Withdrawal,{order},{order},{asset},{amount},{dollars:.6},{NONE},{NONE},\
                 {asset},{for_dollar:.6},1.000000,Wallet,Wallet,{note}"
            ),
            _ => writeln!(
                text,
                "35002704,{time},Quick Buy,Buy,{order:032x},{trade},{NONE},USD,{dollars:.4},{dollars:.4},\
                 {asset},{amount},{dollars:.6},USD,{fee:.2},{fee:.2},Wallet,\"\",{note}"
            ),
        };
        written.expect("a text takes what is written to it");
    }
    text
}

type Cells = Vec<Box<[u8]>>;

/// The export as a source, and what it was recognised as. The folder goes when this does.
struct Exported {
    source: Source,
    context: Arc<FileContext>,
    start: Position,
    _folder: tempfile::TempDir,
}

impl Exported {
    fn new() -> Exported {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("export.csv");
        std::fs::write(&path, export()).expect("a file");
        let found = discover(&[path.display().to_string()]).expect("it can be read");
        let source = found.sources.into_iter().next().expect("one source");
        let opened =
            open(&source, &Library::built_in(), &Options::default()).expect("it can be read");
        let Ok(Opened {
            context, detected, ..
        }) = opened
        else {
            panic!("the export must be recognised")
        };
        Exported {
            source,
            context,
            start: detected.start,
            _folder: folder,
        }
    }

    /// Calls back with every chunk, from the file on.
    fn chunks(&self, mut each: impl FnMut(&Chunk)) {
        let document = Document::open(&self.source, None).expect("it can be read");
        let mut chunks = document.into_chunks(self.start, self.context.delimiter, CutMode::Guess);
        while let Some(chunk) = chunks.next().expect("it can be read") {
            each(&chunk);
            chunks.recycle(chunk.text);
        }
    }

    /// From the file to the cells of every record.
    fn split(&self) -> usize {
        let mut reader = RecordReader::new(self.context.delimiter);
        let mut records_read = 0;
        self.chunks(|chunk| {
            let mut records = reader.start(&chunk.text);
            while let Some(record) = records.next().expect("no record is too long") {
                black_box(record.get(0));
                records_read += 1;
            }
        });
        records_read
    }

    /// The time of each row, and its amounts that are not blank.
    fn cells(&self) -> (Cells, Cells) {
        let mut reader = RecordReader::new(self.context.delimiter);
        let (mut times, mut amounts) = (Vec::new(), Vec::new());
        self.chunks(|chunk| {
            let mut records = reader.start(&chunk.text);
            while let Some(record) = records.next().expect("no record is too long") {
                times.extend(record.get(TIME).map(Box::from));
                amounts.extend(
                    AMOUNTS
                        .iter()
                        .filter_map(|at| record.get(*at))
                        .filter(|cell| !cell.is_empty())
                        .map(Box::from),
                );
            }
        });
        (times, amounts)
    }

    /// From chunks in memory to batches of events. A record borrows from its reader, so splitting is part of this.
    fn map(&self, chunks: &[Chunk], names: &RunNames) -> Vec<Batch> {
        let mut reader = RecordReader::new(self.context.delimiter);
        let mut worker = Worker::new(&self.context, names);
        let map_chunk = |(number, chunk): (u32, &Chunk)| {
            let bytes = chunk.text.len();
            let mut batch = Batch::for_text(number, chunk.lines_before, bytes, Vec::new());
            worker.expect_utf_8(chunk.is_utf8());
            let mut records = reader.start(&chunk.text);
            while let Some(record) = records.next().expect("no record is too long") {
                worker.read_row(record, &mut batch);
            }
            batch
        };
        (0..).zip(chunks).map(map_chunk).collect()
    }

    /// The rows of the export, as they are put together with those of others.
    fn rows(&self, names: &RunNames) -> FileRows {
        let sources = std::slice::from_ref(&self.source);
        let (library, options) = (Library::built_in(), Options::default());
        match convert(sources, &library, &options, names, &|_| ()).pop() {
            Some(Reading::Read(rows)) => *rows,
            _ => panic!("the export is read"),
        }
    }
}

fn stages(criterion: &mut Criterion) {
    // A stage's time is then its work, whatever the machine. The pool is the one that all stages share.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .expect("the first to ask");
    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Elements(ROWS as u64));
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    let exported = Exported::new();

    assert_eq!(exported.split(), ROWS);
    group.bench_function("split", |bencher| bencher.iter(|| exported.split()));

    decode(&mut group, &exported);

    let mut chunks = Vec::new();
    exported.chunks(|chunk| chunks.push(chunk.clone()));
    group.bench_function("map", |bencher| {
        bencher.iter_with_large_drop(|| exported.map(&chunks, &RunNames::default()))
    });

    let names = RunNames::default();
    let batches = exported.map(&chunks, &names);
    assert!(
        batches.iter().all(|batch| batch.rejects.is_empty()),
        "a row that is rejected costs what no real row costs"
    );
    let mut ledger = sort(&mut group, &exported);

    write(&mut group, &mut ledger);
    group.finish();
}

type Group<'c> = BenchmarkGroup<'c, criterion::measurement::WallTime>;

/// Times and amounts, from the bytes of their cells.
fn decode(group: &mut Group<'_>, exported: &Exported) {
    let (times, amounts) = exported.cells();
    let time_reader = TimeReader::new(&["iso"]).expect("a format");
    let amount_reader = AmountReader::default();
    group.bench_function("decode/times", |bencher| {
        bencher.iter(|| {
            for cell in &times {
                black_box(time_reader.read(cell, &Zone::Utc).expect("a time"));
            }
        });
    });
    group.bench_function("decode/amounts", |bencher| {
        bencher.iter(|| {
            for cell in &amounts {
                black_box(amount_reader.read(cell).expect("an amount"));
            }
        });
    });
}

/// From batches to a ledger: order, overlaps, groups. The rows are read again each time, unmeasured.
fn sort(group: &mut Group<'_>, exported: &Exported) -> Ledger {
    let build = || {
        let names = RunNames::default();
        let rows = exported.rows(&names);
        let files = vec![(exported.source.name().to_owned(), rows)];
        let begin = Instant::now();
        let ledger = Ledger::build(files, names, Period::default(), None);
        (begin.elapsed(), ledger.expect("all rows are in memory"))
    };
    group.bench_function("sort", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| black_box(build()).0).sum());
    });
    build().1
}

/// From a ledger to text in memory, read back on the way.
fn write(group: &mut Group<'_>, ledger: &mut Ledger) {
    let names = ledger.name_texts();
    for (name, format) in [
        ("write/csv", Format::Csv),
        ("write/transactions", Format::Transactions),
    ] {
        let layout = format.layout();
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                let (lines, sums) = write_ledger(ledger, &names, &*layout, &mut out, &|_| ())
                    .expect("memory takes it");
                assert!(lines >= ROWS as u64 && sums.failure.is_none());
            });
        });
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
