//! What `summary.json` holds of the rows of a split that lack a modality.
//!
//! Means of a split are over its complete rows. Beside them stand here the means over all rows that have a modality, which
//! need no other one, and whether it depends on the label which rows are complete.

use lsmi_core::statistics::mean;
use serde::{Deserialize, Serialize};

use crate::analysis::names::{Words, nats};
use crate::samples::{MissingSums, ScoredSplit, Sums};

/// The 99 % quantile of the standard normal distribution: the test is at the level .01.
const QUANTILE_99: f64 = 2.326_347_874_040_841;

/// The rows of a split that lack a modality, and means over all rows that have one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MissingSummary {
    /// All rows of the split.
    pub rows: usize,
    /// Those that have both modalities, over which all other means are.
    pub complete: usize,
    /// Those that lack x1.
    pub without_x1: usize,
    /// Those that lack x2.
    pub without_x2: usize,
    /// Mean information of each modality with the label over all rows that have it, in nats.
    pub information: InformationOfOne,
    /// Whether it depends on the label which rows are complete; none without labels, or with labels of one class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by_label: Option<CompletenessTest>,
}

/// Mean information of each modality over all rows that have it, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InformationOfOne {
    /// Of x1.
    pub i1: f64,
    /// Of x2.
    pub i2: f64,
}

/// A test of whether rows of all classes are complete equally often (Pearson 1900).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CompletenessTest {
    /// The statistic, `sum (observed - expected)² / expected` over classes, of complete rows and of others.
    pub chi_square: f64,
    /// Its degrees of freedom: one fewer than there are classes.
    pub degrees_of_freedom: usize,
    /// Whether completeness depends on the label, at the level .01.
    pub depends: bool,
}

impl CompletenessTest {
    /// Tests the numbers of complete rows and of others of each class. Returns `None` if fewer than two classes have rows.
    fn new(counts: &[[usize; 2]]) -> Option<Self> {
        let counts: Vec<[f64; 2]> = counts
            .iter()
            .filter(|[complete, others]| complete + others > 0)
            .map(|of| of.map(|rows| rows as f64))
            .collect();
        let totals = [0, 1].map(|place| counts.iter().map(|of| of[place]).sum::<f64>());
        let rows: f64 = totals.iter().sum();
        let degrees_of_freedom = counts.len().checked_sub(1).filter(|degrees| *degrees > 0)?;
        let chi_square = counts
            .iter()
            .flat_map(|of| [0, 1].map(|place| (of[place], (of[0] + of[1]) * totals[place] / rows)))
            .filter(|(_, expected)| *expected > 0.0)
            .map(|(observed, expected)| (observed - expected).powi(2) / expected)
            .sum();
        let depends = chi_square > chi_square_quantile(degrees_of_freedom as f64);
        Some(Self { chi_square, degrees_of_freedom, depends })
    }
}

/// Returns the 99 % quantile of the chi-square distribution (Wilson and Hilferty 1931), to within a hundredth of it.
fn chi_square_quantile(degrees: f64) -> f64 {
    let spread = 2.0 / (9.0 * degrees);
    degrees * (1.0 - spread + QUANTILE_99 * spread.sqrt()).powi(3)
}

impl MissingSummary {
    /// Summarises a split; `None` if no row lacks a modality.
    pub(super) fn of_split(split: &ScoredSplit) -> Option<Self> {
        let (partial, terms) = (MissingSums::of_scored(split)?, &split.scores.terms);
        let of_complete = [&terms.i1, &terms.i2].map(|values| mean(values) * values.len() as f64);
        Some(Self::new(&partial, terms.len(), of_complete))
    }

    /// Summarises running sums; `None` if no row lacks a modality.
    pub(super) fn of_sums(sums: &Sums) -> Option<Self> {
        let partial = sums.missing.as_ref()?;
        Some(Self::new(partial, sums.n, [0, 1].map(|place| sums.values[place])))
    }

    /// Summarises the sums over rows that lack a modality, beside those of i1 and i2 over the complete rows.
    pub(super) fn new(partial: &MissingSums, complete: usize, of_complete: [f64; 2]) -> Self {
        let [only_x1, only_x2] = partial.only;
        let mean =
            |place: usize| (of_complete[place] + partial.information[place]) / (complete + partial.only[place]) as f64;
        Self {
            rows: complete + only_x1 + only_x2,
            complete,
            without_x1: only_x2,
            without_x2: only_x1,
            information: InformationOfOne { i1: mean(0), i2: mean(1) },
            by_label: CompletenessTest::new(&partial.by_class),
        }
    }

    /// Says what is to be known of a split before its numbers, in sentences.
    pub fn warnings(&self, Words { names, label }: Words<'_>, split: &str) -> Vec<String> {
        let Self { rows, complete, without_x1, without_x2, information: InformationOfOne { i1, i2 }, by_label } = self;
        let mut warnings = vec![format!(
            "`{split}`: {without_x1} of {rows} rows lack {}, {without_x2} lack {}: the decomposition is of the {complete} that have \
             both. Over all rows that have it, {} tells {} nats about {label}, {} {}",
            names.x1,
            names.x2,
            names.x1,
            nats(*i1),
            names.x2,
            nats(*i2)
        )];
        if let Some(CompletenessTest { chi_square, degrees_of_freedom, depends: true }) = by_label {
            warnings.push(format!(
                "`{split}`: which rows have both {} and {} depends on {label} (chi-square {chi_square:.1}, degrees of freedom \
                 {degrees_of_freedom}, level .01), so that means over these rows are of another population than all rows",
                names.x1, names.x2
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        for (degrees, quantile) in [(1.0, 6.635), (2.0, 9.210), (5.0, 15.086), (100.0, 135.807)] {
            let found = chi_square_quantile(degrees);
            assert!((found / quantile - 1.0).abs() < 0.01, "{degrees}: {found} for {quantile}");
        }
    }

    #[test]
    fn completeness_is_tested_against_the_classes() {
        // (30 - 40)²/40 + (20 - 10)²/10 for each of two classes, of which one has as many fewer as the other has more.
        let test = CompletenessTest::new(&[[30, 20], [50, 0], [0, 0]]).unwrap();
        assert!((test.chi_square - 2.0 * (100.0 / 40.0 + 100.0 / 10.0)).abs() < 1e-12, "{test:?}");
        assert!(test.degrees_of_freedom == 1 && test.depends);
        assert!(!CompletenessTest::new(&[[30, 20], [32, 18]]).unwrap().depends);
        assert_eq!(CompletenessTest::new(&[[30, 20]]), None);
    }
}
