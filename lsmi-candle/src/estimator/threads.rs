//! Pools of threads, which fit models at the same time.

use std::num::NonZero;

use crate::error::{EstimatorError, Result};

/// Creates a pool of `threads` threads; 0 stands for as many as the machine has processors.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool> {
    // Left to itself the pool would take its size from RAYON_NUM_THREADS, which is there to hold candle back.
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        threads => threads,
    };
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    builder.build().map_err(|source| EstimatorError::Threads { threads, source })
}
