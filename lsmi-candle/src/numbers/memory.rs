//! Free memory, so that what does not fit is refused before it is allocated.
//!
//! Most systems promise more memory than they have and end the program that uses it. Linux says how much it could
//! still give; where nothing says so, only what no machine has is refused.

use std::fs;

/// A shortage: more bytes would be needed than are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) needed: u64,
    pub(crate) available: u64,
}

impl Shortage {
    /// More than can be counted.
    pub(crate) const BEYOND: Self = Self { needed: u64::MAX, available: i64::MAX as u64 };

    /// Returns the shortage of `items` items of `size` bytes.
    pub(crate) fn of(items: usize, size: usize) -> Self {
        Self { needed: (items as u64).saturating_mul(size as u64), available: available() }
    }
}

/// Checks that there is memory for `items` items of `size` bytes.
pub(crate) fn check(items: usize, size: usize) -> Result<(), Shortage> {
    /// Less is always there: asking costs more.
    const LITTLE: u64 = 64 << 20;
    let needed = (items as u64).saturating_mul(size as u64);
    if needed <= LITTLE {
        return Ok(());
    }
    let available = available();
    if needed > available { Err(Shortage { needed, available }) } else { Ok(()) }
}

/// Formats bytes, as in `1.5 GB`.
pub(crate) fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut amount = bytes as f64 / 1e3;
    let mut unit = 0;
    while amount >= 1e3 && unit + 1 < UNITS.len() {
        amount /= 1e3;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// Returns the bytes that are free: of the system, and of the group of processes where that is limited.
fn available() -> u64 {
    let system_bytes = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_in(&text));
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let group_bytes =
        limit.map(|limit| limit.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or_default()));
    system_bytes.into_iter().chain(group_bytes).min().unwrap_or(i64::MAX as u64)
}

/// Returns the line `MemAvailable: 1234 kB`.
fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused() {
        let shortage = check(usize::MAX, 8).unwrap_err();
        assert_eq!(shortage.needed, u64::MAX);
        assert!(check(1 << 20, 8).is_ok());
    }

    #[test]
    fn bytes_in_words() {
        for (bytes, expected) in [(0, "0.0 kB"), (1_500_000_000, "1.5 GB"), (u64::MAX, "18.4 EB")] {
            assert_eq!(in_words(bytes), expected);
        }
    }

    #[test]
    fn the_line_of_linux() {
        assert_eq!(available_in("MemTotal: 9 kB\nMemAvailable:    1000 kB\n"), Some(1_024_000));
        assert_eq!(available_in("MemTotal: 9 kB\n"), None);
    }
}
