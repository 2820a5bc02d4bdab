//! Outcomes of several sources and a target, and the names of their states.

use std::fmt::Write;

/// One combination of states: numbers of states, named by [`States`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Outcome<const SOURCES: usize = 2> {
    /// The state of every source.
    pub sources: [u32; SOURCES],
    /// The state of the target y.
    pub target: u32,
}

/// The names of the states of every variable, sorted; state k of a variable is its k-th name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct States<const SOURCES: usize = 2> {
    /// The states of every source.
    pub sources: [Vec<String>; SOURCES],
    /// The states of the target y.
    pub target: Vec<String>,
}

impl<const SOURCES: usize> States<SOURCES> {
    /// Returns the names of an outcome's states: of every source in turn, then of the target.
    ///
    /// # Panics
    ///
    /// If a state of the outcome has no name here.
    pub fn names(&self, outcome: &Outcome<SOURCES>) -> Vec<&str> {
        let source_names = self.sources.iter().zip(outcome.sources).map(|(names, state)| &*names[state as usize]);
        source_names.chain([&*self.target[outcome.target as usize]]).collect()
    }

    /// Returns the number of combinations of states.
    pub fn combinations(&self) -> u128 {
        let sizes = self.sources.iter().chain([&self.target]).map(|names| names.len() as u128);
        sizes.fold(1, u128::saturating_mul)
    }
}

/// Returns an outcome in words, as in `x1=0, x2=1, y=1`.
pub(super) fn describe<S: AsRef<str>>(sources: &[S], target: &str) -> String {
    let mut text = String::new();
    for (place, state) in sources.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "x{}={}, ", place + 1, state.as_ref());
    }
    text + "y=" + target
}
