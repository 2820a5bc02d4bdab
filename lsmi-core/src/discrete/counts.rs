//! Counts of outcomes in samples.

use std::sync::Arc;

use super::{
    error::{Error, Result},
    joint::{Joint, check_target},
    outcome::{Outcome, States, describe},
    register::Register,
};

/// Counts of the outcomes of `SOURCES` sources and a target; outcomes that never occur are left out.
#[derive(Debug, Clone)]
pub struct Counts<const SOURCES: usize = 2> {
    states: Arc<States<SOURCES>>,
    outcomes: Vec<Outcome<SOURCES>>,
    times: Vec<u64>,
    total: u64,
}

impl<const SOURCES: usize> Counts<SOURCES> {
    /// Returns the given counts.
    ///
    /// # Errors
    ///
    /// [`Error::Repeated`] if an outcome is given twice, [`Error::Empty`] if nothing was counted, [`Error::Overflow`]
    /// if the counts sum to more than a `u64` holds, [`Error::ConstantTarget`] if y has one state only.
    pub fn from_counts<'a>(outcomes: impl IntoIterator<Item = ([&'a str; SOURCES], &'a str, u64)>) -> Result<Self> {
        let mut register = Register::new();
        for (sources, target, count) in outcomes {
            if register.known_or_insert(sources, target, count).is_some() {
                return Err(Error::Repeated { outcome: describe(&sources, target) });
            }
        }
        Self::from_register(register)
    }

    /// Counts samples, each given by the states of the sources and of the target.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] if there are no samples, [`Error::ConstantTarget`] if y has one state only.
    ///
    /// ```
    /// use lsmi_core::discrete::Counts;
    ///
    /// let counts = Counts::from_samples([(["0", "1"], "no"), (["1", "1"], "yes"), (["0", "1"], "no")])?;
    /// assert_eq!((counts.counts(), counts.total()), (&[2, 1][..], 3));
    /// # Ok::<(), lsmi_core::discrete::Error>(())
    /// ```
    pub fn from_samples<'a>(samples: impl IntoIterator<Item = ([&'a str; SOURCES], &'a str)>) -> Result<Self> {
        let mut counter = Counter::new();
        samples.into_iter().for_each(|(sources, target)| counter.add(sources, target));
        counter.finish()
    }

    fn from_register(register: Register<SOURCES, u64>) -> Result<Self> {
        let (states, entries) = register.finish(|count| *count > 0);
        let (outcomes, times): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let total = times.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count)).ok_or(Error::Overflow)?;
        if total == 0 {
            return Err(Error::Empty);
        }
        check_target(&states)?;
        Ok(Self { states: Arc::new(states), outcomes, times, total })
    }

    /// Counts of the same outcomes, as many in sum.
    pub(super) fn with_counts(&self, counts: &[u64]) -> Self {
        let seen = || self.outcomes.iter().zip(counts).filter(|(_, count)| **count > 0);
        Self {
            states: Arc::clone(&self.states),
            outcomes: seen().map(|(outcome, _)| *outcome).collect(),
            times: seen().map(|(_, count)| *count).collect(),
            total: self.total,
        }
    }

    /// Returns the names of the states.
    pub fn states(&self) -> &States<SOURCES> {
        &self.states
    }

    /// Returns the names of the states, shared.
    pub(super) fn shared_states(&self) -> Arc<States<SOURCES>> {
        Arc::clone(&self.states)
    }

    /// Returns the outcomes that were seen.
    pub fn outcomes(&self) -> &[Outcome<SOURCES>] {
        &self.outcomes
    }

    /// Returns the count of every outcome, in the order of the outcomes.
    pub fn counts(&self) -> &[u64] {
        &self.times
    }

    /// Returns the number of samples.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the distribution of the samples: every outcome has its share (the plug-in estimate).
    pub fn joint(&self) -> Joint<SOURCES> {
        let share = |count: &u64| *count as f64 / self.total as f64;
        Joint::new(self.shared_states(), self.outcomes.clone(), self.times.iter().map(share).collect())
    }
}

/// Samples being counted, for those who read them one by one.
///
/// ```
/// use lsmi_core::discrete::Counter;
///
/// let mut counter = Counter::new();
/// counter.add(["0", "1"], "no");
/// counter.add(["1", "1"], "yes");
/// assert_eq!(counter.finish()?.total(), 2);
/// # Ok::<(), lsmi_core::discrete::Error>(())
/// ```
pub struct Counter<const SOURCES: usize = 2>(Register<SOURCES, u64>);

impl<const SOURCES: usize> Default for Counter<SOURCES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SOURCES: usize> Counter<SOURCES> {
    /// Creates a counter without samples.
    pub fn new() -> Self {
        Self(Register::new())
    }

    /// Counts one sample.
    pub fn add(&mut self, sources: [&str; SOURCES], target: &str) {
        if let Some(count) = self.0.known_or_insert(sources, target, 1) {
            *count += 1;
        }
    }

    /// Returns the counts of all samples.
    ///
    /// # Errors
    ///
    /// Those of [`Counts::from_samples`].
    pub fn finish(self) -> Result<Counts<SOURCES>> {
        Counts::from_register(self.0)
    }
}
