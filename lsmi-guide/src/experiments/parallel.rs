//! Work in parallel, each piece by one thread from its beginning to its end.
//!
//! The threads are not those of a pool: a piece that waits for a pool of its own, as a tracker has one, would else begin
//! another piece in the meantime.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Returns the number of threads asked for; of 0 as many as there are processors.
pub(crate) fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        asked => asked,
    }
}

/// Does a piece of work for every item, by so many threads, and returns what was found in the order of the items.
///
/// # Errors
/// That of the first item, in their order, among those that failed before all threads had stopped.
pub(crate) fn map<T, R, E>(items: &[T], count: usize, work: impl Fn(&T) -> Result<R, E> + Sync) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let found: Vec<Mutex<Option<Result<R, E>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads(count).min(items.len()) {
            scope.spawn(|| {
                let _guard = EndsOnPanic(&is_over);
                while !is_over.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    is_over.fetch_or(result.is_err(), Ordering::Relaxed);
                    *found[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    // Items are taken in their order, so that none is missing before the first that failed.
    found.into_iter().filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Has the other threads stop where one panics.
struct EndsOnPanic<'a>(&'a AtomicBool);

impl Drop for EndsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..50).collect();
        for count in [1, 3, 80] {
            let found = map(&items, count, |item| Ok::<_, u32>(item * 2)).unwrap();
            assert!(found.iter().zip(&items).all(|(found, item)| *found == 2 * item) && found.len() == 50);
        }
        assert_eq!(map(&[0u32; 0], 0, |_| Ok::<u32, u32>(1)), Ok(vec![]));
    }

    #[test]
    fn the_first_failure_ends_the_work() {
        let items: Vec<u32> = (0..1000).collect();
        let done = AtomicUsize::new(0);
        let error = map(&items, 1, |item| {
            done.fetch_add(1, Ordering::Relaxed);
            if *item >= 3 { Err(*item) } else { Ok(()) }
        });
        assert_eq!((error, done.into_inner()), (Err(3), 4));
    }
}
