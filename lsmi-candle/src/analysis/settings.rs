//! Settings of a whole analysis.

use lsmi_core::Measure;

use super::names::Names;
use crate::estimator;

/// Training rows below which single values depend so much on folds and random draws that several fits are averaged.
const FEW_ROWS: usize = 5000;
/// Fits that are averaged then.
const REPEATS_OF_FEW_ROWS: usize = 3;

/// Settings of an analysis.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Settings of the fit; [`Self::repeats`] takes the place of its `repeats`.
    pub fit: estimator::Settings,
    /// Fits, with folds and random draws of their own, that are averaged. Default: none, which is three below 5,000
    /// training rows and one from there on.
    pub repeats: Option<usize>,
    /// Measures that every sample is decomposed by besides that of the fit. Default: none.
    pub measures: Vec<Measure>,
    /// How often labels are permuted to test the means against chance; 0: not at all. Default: 0.
    pub permutations: usize,
    /// The gates that ask whether the data can support conclusions. Default: none, as they take several fits.
    pub gates: Option<Gates>,
    /// What the modalities are called in sentences. Default: `x1` and `x2`.
    pub names: Names,
    /// What the label is called in sentences. Default: `the label`.
    pub label: String,
}

/// Settings of the gates of an analysis; [`crate::gates::GateSettings`] says what they mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// The strength of what is planted.
    pub strength: f64,
    /// The most rows that a gate fits.
    pub rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fit: estimator::Settings::default(),
            repeats: None,
            measures: Vec::new(),
            permutations: 0,
            gates: None,
            names: Names::default(),
            label: "the label".to_owned(),
        }
    }
}

impl Settings {
    /// Returns how many fits to `rows` training rows are averaged.
    pub fn repeats_for(&self, rows: usize) -> usize {
        self.repeats.unwrap_or(if rows < FEW_ROWS { REPEATS_OF_FEW_ROWS } else { 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_are_fitted_three_times() {
        let settings = Settings::default();
        assert_eq!((settings.repeats_for(4999), settings.repeats_for(5000)), (3, 1));
        assert_eq!(Settings { repeats: Some(2), ..settings }.repeats_for(10), 2);
    }
}
