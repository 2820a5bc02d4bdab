//! Read, work, write: one thread reads pieces in order, several work on them, and the results are written in order.
//!
//! A piece is read only when one of a fixed number of permits is free, and gives its permit back when it is written: there
//! are never more pieces in memory than permits, however much one of them lags behind.

use std::collections::BTreeMap;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

/// Pieces that are read or wait to be written while others are worked on.
const AHEAD: usize = 2;

/// Reads, works on and writes `pieces` pieces with `threads` threads. `write` gets the results in the order of the pieces, on this thread.
///
/// # Errors
/// The error of the first piece that has one; all pieces before it were written.
pub fn in_order<Read: Send, Done: Send, Error: Send>(
    pieces: usize,
    threads: usize,
    mut read: impl FnMut(usize) -> Result<Read, Error> + Send,
    work: impl Fn(usize, Read) -> Result<Done, Error> + Sync,
    write: impl FnMut(usize, Done) -> Result<(), Error>,
) -> Result<(), Error> {
    let permits = threads + AHEAD;
    let (give_permit, permit) = bounded(permits);
    for _ in 0..permits {
        // There is room for all of them.
        let _ = give_permit.send(());
    }
    let (to_work, to_be_worked_on) = bounded(1);
    let (to_write, to_be_written) = unbounded();
    thread::scope(|scope| {
        let reader = move || {
            for piece in 0..pieces {
                let is_wanted = permit.recv().is_ok();
                if !is_wanted {
                    return;
                }
                let result = read(piece);
                let is_last = result.is_err();
                if to_work.send((piece, result)).is_err() || is_last {
                    return;
                }
            }
        };
        scope.spawn(reader);
        for _ in 0..threads {
            let (to_be_worked_on, to_write, work) = (to_be_worked_on.clone(), to_write.clone(), &work);
            scope.spawn(move || {
                for (piece, result) in to_be_worked_on {
                    let result = Result::and_then(result, |read| work(piece, read));
                    if to_write.send((piece, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((to_be_worked_on, to_write));
        write_in_order(to_be_written, give_permit, write)
    })
}

/// Takes the channels, so that the other threads end when this does.
#[expect(clippy::needless_pass_by_value, reason = "the channels close when they are dropped")]
fn write_in_order<Done, Error>(
    results: Receiver<(usize, Result<Done, Error>)>,
    give_permit: Sender<()>,
    mut write: impl FnMut(usize, Done) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (piece, result) in &results {
        waiting.insert(piece, result);
        while let Some(result) = waiting.remove(&next) {
            write(next, result?)?;
            next += 1;
            // Nobody takes it where everything is read.
            let _ = give_permit.try_send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn results_come_in_order_and_pieces_are_few() {
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut written = Vec::new();
        let read = |piece| {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            Ok::<_, ()>(piece)
        };
        let work = |piece: usize, read: usize| {
            // The first lags behind all others.
            thread::sleep(Duration::from_millis(if piece == 0 { 50 } else { 0 }));
            Ok(read * 10)
        };
        let write = |piece, done| {
            inside.fetch_sub(1, Ordering::SeqCst);
            written.push((piece, done));
            Ok(())
        };
        in_order(40, 3, read, work, write).unwrap();
        assert_eq!(written, (0..40).map(|piece| (piece, piece * 10)).collect::<Vec<_>>());
        assert!(most.into_inner() <= 3 + AHEAD);
    }

    #[test]
    fn what_comes_before_an_error_is_written() {
        for fails in ["read", "work", "write"] {
            let at = |stage: &str, piece| if stage == fails && piece == 7 { Err(piece) } else { Ok(()) };
            let mut written = Vec::new();
            let result = in_order(
                20,
                2,
                |piece| at("read", piece),
                |piece, ()| at("work", piece),
                |piece, ()| at("write", piece).map(|()| written.push(piece)),
            );
            assert_eq!(result, Err(7), "{fails}");
            assert_eq!(written, (0..7).collect::<Vec<_>>(), "{fails}");
        }
    }

    #[test]
    fn nothing_to_do() {
        in_order(0, 2, |_| Ok::<_, ()>(()), |_, ()| Ok(()), |_, ()| Ok(())).unwrap();
    }
}
