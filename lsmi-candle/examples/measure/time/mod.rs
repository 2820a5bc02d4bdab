//! Studies of time and memory.

pub(crate) mod cost_figure;
pub(crate) mod knife_likelihood;
pub(crate) mod knife_throughput;
pub(crate) mod read_time;

/// Returns the most memory that the process has held so far, in KiB, where Linux says so.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
