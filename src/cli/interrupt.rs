//! What happens when a person or the system ends a run early: unfinished files are removed, and the exit code says which
//! signal it was.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{exit, told};
use crate::output::remove_unfinished;

/// Waits for a signal from now on, beside the work. A signal that whoever started the process has it ignore (`nohup`, a
/// job in the background of a script) stays ignored.
pub fn clean_up_when_interrupted() {
    let ignored = ignored_signals();
    let wanted = [SIGINT, SIGTERM, SIGHUP];
    let heeded = wanted.into_iter().filter(|signal| match ignored {
        Some(ignored) => ignored >> (signal - 1) & 1 == 0,
        // Where nobody can say, a run under `nohup` must outlive its terminal.
        None => *signal != SIGHUP,
    });
    // Without this a signal still ends the run; what remains then is one file whose name begins with `.coinfold-`.
    let Ok(mut signals) = Signals::new(heeded) else {
        return;
    };
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            let _none_begins_anew = remove_unfinished();
            told::say("interrupted");
            std::process::exit(exit::INTERRUPTED + signal);
        }
    };
    let _ = std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(wait);
}

/// One bit for each ignored signal, the lowest for signal 1; where the system tells it.
fn ignored_signals() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}
