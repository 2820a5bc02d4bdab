//! The threads that all row groups in flight share: so many tasks are worked on at a time, whichever group they are of.
//!
//! A group's thread does its tasks itself, and whenever one of the others is idle it lends a hand. So the tasks of one group
//! are enough to keep all threads busy, and nobody who waits takes the place of one who works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

/// The threads, as the number of those that are idle.
#[derive(Debug)]
pub(super) struct Workers {
    idle: Mutex<usize>,
    freed: Condvar,
}

/// The right to work, given back at the end.
struct Permit<'w>(&'w Workers);

/// The tasks of one group.
struct Tasks<'w, T, W> {
    workers: &'w Workers,
    all: usize,
    next: AtomicUsize,
    done: Mutex<Vec<(usize, T)>>,
    work: W,
}

impl Workers {
    /// Makes so many threads available, one at least. They are started when there is something to do.
    pub(super) fn new(threads: usize) -> Self {
        Self { idle: Mutex::new(threads.max(1)), freed: Condvar::new() }
    }

    /// Does tasks, numbered from 0, and returns their results in this order. A task must not give tasks itself.
    pub(super) fn each<T: Send>(&self, tasks: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let tasks = Tasks {
            workers: self,
            all: tasks,
            next: AtomicUsize::new(0),
            done: Mutex::new(Vec::with_capacity(tasks)),
            work,
        };
        if let Some(first) = tasks.take() {
            let permit = self.wait();
            thread::scope(|scope| tasks.work(scope, permit, first));
        }
        let mut done = tasks.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(task, _)| *task);
        done.into_iter().map(|(_, result)| result).collect()
    }

    fn idle(&self) -> MutexGuard<'_, usize> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a thread is idle.
    fn wait(&self) -> Permit<'_> {
        let mut idle = self.freed.wait_while(self.idle(), |idle| *idle == 0).unwrap_or_else(PoisonError::into_inner);
        *idle -= 1;
        Permit(self)
    }

    /// Takes a thread that is idle now.
    fn try_now(&self) -> Option<Permit<'_>> {
        let mut idle = self.idle();
        *idle = idle.checked_sub(1)?;
        Some(Permit(self))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.idle() += 1;
        self.0.freed.notify_one();
    }
}

impl<T: Send, W: Fn(usize) -> T + Sync> Tasks<'_, T, W> {
    fn take(&self) -> Option<usize> {
        // Counts no further than one beyond the last for each thread.
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|task| *task < self.all)
    }

    /// Does a task, then others, until none is left; gives some to threads that are idle.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, permit: Permit<'scope>, mut task: usize) {
        loop {
            while self.next.load(Ordering::Relaxed) < self.all
                && let Some(other) = self.workers.try_now()
                && let Some(task) = self.take()
            {
                scope.spawn(move || self.work(scope, other, task));
            }
            let result = (self.work)(task);
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push((task, result));
            match self.take() {
                Some(next) => task = next,
                None => break,
            }
        }
        drop(permit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// How many are at work, and the most that ever were.
    #[derive(Default)]
    struct Count(Mutex<(usize, usize)>, Condvar);

    impl Count {
        fn enter(&self) {
            let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            count.0 += 1;
            count.1 = count.1.max(count.0);
            self.1.notify_all();
        }

        fn leave(&self) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).0 -= 1;
        }

        fn most(&self) -> usize {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).1
        }

        /// Waits until so many have been at work together, but not for ever.
        fn wait_for(&self, most: usize) {
            let count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.1.wait_timeout_while(count, Duration::from_secs(20), |count| count.1 < most));
        }
    }

    #[test]
    fn one_group_uses_all_threads_and_results_are_in_order() {
        let (workers, count) = (Workers::new(3), Count::default());
        let results = workers.each(10, |task| {
            count.enter();
            count.wait_for(3);
            count.leave();
            task * task
        });
        assert_eq!(results, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
        assert_eq!(count.most(), 3);
        assert!(workers.each(0, |task| task).is_empty());
        assert_eq!(*workers.idle(), 3);
    }

    #[test]
    fn several_groups_have_no_more_threads_than_there_are() {
        for threads in [1, 2] {
            let (workers, count) = (Workers::new(threads), Count::default());
            thread::scope(|scope| {
                for _ in 0..5 {
                    scope.spawn(|| {
                        let results = workers.each(20, |task| {
                            count.enter();
                            thread::yield_now();
                            count.leave();
                            task
                        });
                        assert!(results.into_iter().eq(0..20));
                    });
                }
            });
            assert!((1..=threads).contains(&count.most()));
            assert_eq!(*workers.idle(), threads);
        }
    }

    /// The group's thread gets help from one that becomes idle while it works.
    #[test]
    fn threads_of_finished_groups_help_the_others() {
        let (workers, count) = (Workers::new(2), Count::default());
        let other = workers.wait();
        let other = Mutex::new(Some(other));
        workers.each(4, |task| {
            count.enter();
            match task {
                0 => drop(other.lock().unwrap_or_else(PoisonError::into_inner).take()),
                _ => count.wait_for(2),
            }
            count.leave();
        });
        assert_eq!(count.most(), 2);
    }
}
