//! How commands talk: to stderr; with colour only on a terminal; a progress bar only when a run lasts.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::CliError;
use crate::report::{counted, grouped};

/// A run that lasts longer than this shows a progress bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether stderr takes colour.
pub fn colour() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Says something on stderr. Nobody listening is no error.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(stderr(), "{}", text.as_ref().trim_end());
}

/// Prints data on stdout.
///
/// # Errors
/// When stdout cannot be written; a reader that has gone away is none.
pub fn print(text: impl AsRef<[u8]>) -> Result<(), CliError> {
    let mut out = stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::failed(format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// How far a run has come, shown on a terminal once it has lasted a second: first what is read, then what is written.
pub struct Progress {
    start: Instant,
    wanted: bool,
    reading: Count,
    rows: AtomicU64,
    /// Events, once writing has begun.
    writing: OnceLock<(Instant, Count)>,
    bar: Mutex<Option<ProgressBar>>,
}

/// How much of something is done.
struct Count {
    total: u64,
    done: AtomicU64,
}

impl Count {
    fn of(total: u64) -> Count {
        Count {
            total,
            done: AtomicU64::new(0),
        }
    }

    /// More than all is never done: files grow while they are read.
    fn done(&self) -> u64 {
        self.done.load(Relaxed).min(self.total)
    }
}

impl Progress {
    pub fn new(total_bytes: u64, quiet: bool) -> Progress {
        Progress {
            start: Instant::now(),
            wanted: !quiet && stderr().is_terminal(),
            reading: Count::of(total_bytes),
            rows: AtomicU64::new(0),
            writing: OnceLock::new(),
            bar: Mutex::new(None),
        }
    }

    /// So many more bytes are read.
    pub fn add(&self, bytes: u64) {
        self.reading.done.fetch_add(bytes, Relaxed);
        self.show();
    }

    /// So many more rows are read. They are shown with the bytes that are told next.
    pub fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Relaxed);
    }

    /// All is read: from now on so many events are written.
    pub fn begin_writing(&self, events: u64) {
        self.writing
            .get_or_init(|| (Instant::now(), Count::of(events)));
        self.finish();
        self.show();
    }

    /// So many more events are written.
    pub fn add_events(&self, events: u64) {
        if let Some((_, count)) = self.writing.get() {
            count.done.fetch_add(events, Relaxed);
            self.show();
        }
    }

    /// Takes the bar away, for what is said next. What is added later brings it back.
    pub fn finish(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn show(&self) {
        if !self.wanted || self.start.elapsed() < PATIENCE {
            return;
        }
        let (word, count, message) = match self.writing.get() {
            Some((begin, count)) => {
                let message = writing_text(count.done(), count.total, begin.elapsed());
                ("writing", count, message)
            }
            None => {
                let (rows, bytes) = (self.rows.load(Relaxed), self.reading.done());
                let message = reading_text(rows, bytes, self.reading.total, self.start.elapsed());
                ("reading", &self.reading, message)
            }
        };
        let Ok(mut bar) = self.bar.lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let hidden = ProgressDrawTarget::hidden();
            let bar = ProgressBar::with_draw_target(Some(count.total.max(1)), hidden);
            let style = ProgressStyle::with_template("{prefix} {bar:30} {wide_msg}");
            let bar = bar
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_prefix(word)
                .with_position(count.done())
                .with_message(message.clone());
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar
        });
        bar.set_message(message);
        bar.set_position(count.done());
    }
}

/// `1,024,000 rows, 155.21 MiB of 1.52 GiB, 8s left`; no rows where none are counted.
fn reading_text(rows: u64, bytes: u64, total_bytes: u64, elapsed: Duration) -> String {
    let rows = match rows {
        0 => String::new(),
        rows => format!("{}, ", counted(rows, "row", "rows")),
    };
    let (read, total) = (BinaryBytes(bytes), BinaryBytes(total_bytes));
    format!(
        "{rows}{read} of {total}{}",
        left(bytes, total_bytes, elapsed)
    )
}

/// `512,000 of 1,000,000 events, 2s left`.
fn writing_text(events: u64, total: u64, elapsed: Duration) -> String {
    let of_all = counted(total, "event", "events");
    format!(
        "{} of {of_all}{}",
        grouped(events),
        left(events, total, elapsed)
    )
}

/// How long it takes at the pace so far, to the second; nothing before there is a pace.
fn left(done: u64, total: u64, elapsed: Duration) -> String {
    if done == 0 {
        return String::new();
    }
    let seconds = elapsed.as_secs_f64() * (total - done) as f64 / done as f64;
    format!(
        ", {:#} left",
        HumanDuration(Duration::from_secs(seconds.ceil() as u64))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_rows_bytes_and_time() {
        let mib = 1 << 20;
        let second = Duration::from_secs(1);
        assert_eq!(
            reading_text(12_000, 2 * mib, 10 * mib, second),
            "12,000 rows, 2.00 MiB of 10.00 MiB, 4s left"
        );
        assert_eq!(reading_text(0, 0, mib, second), "0 B of 1.00 MiB");
        assert_eq!(
            writing_text(2_000, 3_000, 3 * second),
            "2,000 of 3,000 events, 2s left"
        );
    }

    #[test]
    fn no_more_is_done_than_there_is() {
        let progress = Progress::new(10, true);
        progress.add(25);
        assert_eq!(progress.reading.done(), 10);
        assert_eq!(left(10, 10, PATIENCE), ", 0s left");
    }
}
