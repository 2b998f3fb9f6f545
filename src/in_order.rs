//! Work that is done by many threads and whose results are wanted in order, such as chunks of a file or pages of an output.
//!
//! One piece after the other is taken from a source, worked on by whichever thread is free, and given to a sink in the order
//! of the source. Source and sink each run on one thread at a time; no thread is set apart for them.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};

/// How many results may wait for their turn, for each thread, before the threads rest.
const WAITING_FOR_EACH: usize = 8;

/// What is shared by the threads.
struct State<R, E, K> {
    /// Results that wait for those before them, by number.
    waiting: BTreeMap<usize, Result<R, E>>,
    /// Number of the next result that the sink takes.
    next: usize,
    /// The sink, unless a thread is at it.
    sink: Option<K>,
    /// The first error, in the order of the pieces.
    error: Option<E>,
}

/// Runs `work` on all pieces of `source`, and gives the results to `sink` in their order. `begin` makes what a thread keeps from
/// piece to piece.
///
/// # Errors
/// The first of source, work or sink in the order of the pieces; the sink has had all results before it, and none after.
pub fn in_order<T, S, R, E>(
    source: impl FnMut() -> Option<Result<T, E>> + Send,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, T) -> Result<R, E> + Sync,
    sink: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E>
where
    T: Send,
    R: Send,
    E: Send,
{
    let threads = rayon::current_num_threads().max(1);
    // The source with the number of its next piece; none when it has ended.
    let source = Mutex::new(Some((source, 0)));
    let state = Mutex::new(State {
        waiting: BTreeMap::new(),
        next: 0,
        sink: Some(sink),
        error: None,
    });
    let calmer = Condvar::new();
    let next_piece = || {
        let mut source = lock(&source);
        let (pieces, number) = source.as_mut()?;
        let numbered = (*number, pieces());
        *number += 1;
        if !matches!(numbered.1, Some(Ok(_))) {
            *source = None;
        }
        numbered.1.map(|piece| (numbered.0, piece))
    };
    let hand_in = |number: usize, result: Result<R, E>| {
        let failed = result.is_err();
        let mut held = lock(&state);
        held.waiting.insert(number, result);
        if let Some(mut sink) = held.sink.take() {
            while let Some(result) = take_next(&mut held) {
                drop(held);
                let done = result.and_then(&mut sink);
                held = lock(&state);
                held.next += 1;
                calmer.notify_all();
                if let Err(error) = done {
                    held.error = Some(error);
                }
            }
            held.sink = Some(sink);
        } else {
            // A thread is at the sink, and takes what waits.
            let many = WAITING_FOR_EACH * threads;
            while held.waiting.len() > many && held.sink.is_none() && held.error.is_none() {
                held = match calmer.wait(held) {
                    Ok(held) => held,
                    Err(poisoned) => poisoned.into_inner(),
                };
            }
        }
        failed || held.error.is_some()
    };
    let run = || {
        let mut kept = None;
        while let Some((number, piece)) = next_piece() {
            let kept = kept.get_or_insert_with(&begin);
            let result = piece.and_then(|piece| work(kept, number, piece));
            if hand_in(number, result) {
                // What comes after an error is not wanted.
                *lock(&source) = None;
            }
        }
    };
    if threads == 1 {
        run();
    } else {
        rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| run())));
    }
    match lock(&state).error.take() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The result whose turn it is, if it is there and nothing has failed.
fn take_next<R, E, K>(state: &mut State<R, E, K>) -> Option<Result<R, E>> {
    if state.error.is_some() {
        return None;
    }
    state.waiting.remove(&state.next)
}

/// A thread that panicked has left nothing half done that matters: the panic goes on, and nobody looks at the state again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rayon::ThreadPoolBuilder;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn results_come_in_order_up_to_the_first_error(
            pieces in proptest::collection::vec(0u32..1000, 0..400),
            source_fails in proptest::option::of(0usize..500),
            work_fails in proptest::option::of(0usize..500),
            sink_fails in proptest::option::of(0usize..500),
            threads in 1usize..5,
        ) {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut taken = 0;
            let mut given = Vec::new();
            let result = pool.install(|| in_order(
                || {
                    let piece = *pieces.get(taken)?;
                    taken += 1;
                    Some(if source_fails == Some(taken - 1) { Err(("source", taken - 1)) } else { Ok(piece) })
                },
                || (),
                |(), number, piece| {
                    // Not all pieces take the same time.
                    std::hint::black_box((0..piece * 20).map(u64::from).sum::<u64>());
                    if work_fails == Some(number) { Err(("work", number)) } else { Ok((number, piece)) }
                },
                |(number, piece)| {
                    if sink_fails == Some(number) { return Err(("sink", number)) }
                    given.push(piece);
                    Ok(())
                },
            ));
            let failures = [(source_fails, "source"), (work_fails, "work"), (sink_fails, "sink")];
            let first = failures.into_iter()
                .filter_map(|(place, who)| Some((place.filter(|place| *place < pieces.len())?, who)))
                .min_by_key(|(place, _)| *place);
            let good = first.map_or(pieces.len(), |(place, _)| place);
            prop_assert_eq!(given, &pieces[..good]);
            prop_assert_eq!(result.err().map(|(who, place)| (place, who)), first);
        }
    }
}
