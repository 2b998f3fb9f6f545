//! How commands talk: to stderr; with colour only on a terminal; a progress bar only when a run lasts.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Mutex;

use super::CliError;

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

/// Bytes read so far, shown once the run has lasted a second, on a terminal.
pub struct Progress {
    total_bytes: u64,
    start: Instant,
    wanted: bool,
    bar: Mutex<Option<ProgressBar>>,
    read_bytes: std::sync::atomic::AtomicU64,
}

impl Progress {
    pub fn new(total_bytes: u64, quiet: bool) -> Progress {
        let wanted = !quiet && stderr().is_terminal();
        Progress {
            total_bytes,
            start: Instant::now(),
            wanted,
            bar: Mutex::new(None),
            read_bytes: 0.into(),
        }
    }

    pub fn add(&self, bytes: u64) {
        let read = self
            .read_bytes
            .fetch_add(bytes, std::sync::atomic::Ordering::Relaxed)
            + bytes;
        if !self.wanted || self.start.elapsed() < PATIENCE {
            return;
        }
        let Ok(mut bar) = self.bar.lock() else { return };
        bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(
                Some(self.total_bytes.max(1)),
                ProgressDrawTarget::stderr(),
            );
            let style = ProgressStyle::with_template(
                "reading {bar:30} {bytes} of {total_bytes}, {eta} left",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        })
        .set_position(read.min(self.total_bytes));
    }

    pub fn finish(&self) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.finish_and_clear();
        }
    }
}
