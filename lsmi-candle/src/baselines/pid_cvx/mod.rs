//! PID-CVX, a baseline: features are made discrete, and their table is decomposed by BROJA.
//!
//! Rows are scaled to length 1, projected on a few principal components and clustered, each modality by itself; the
//! clusters and the label are counted, and [`broja`] decomposes what was counted. That is the
//! estimator of Liang et al., "Quantifying & Modeling Multimodal Interactions: An Information Decomposition Framework"
//! (`NeurIPS` 2023), whose published runs use 20 clusters of 2 or 5 components, fitted and counted on the test split;
//! [`decompose`] does that with 2, which finds circuits of bits no worse than 5. Differences: every table is solved with a certificate, where the published solver may
//! end at an error of 2e-4 nats unseen; clusters without rows are left out instead of divided by zero.
//!
//! It gives means over the data set, no values of samples. They are plug-in values: a table of 20 x 20 cells that few rows
//! fill overstates I(X1,X2;Y), and with it the synergy, by up to about (cells - 1)(classes - 1) / 2n nats.
//!
//! ```
//! use lsmi_candle::features::FeatureSet;
//! use lsmi_candle::Matrix;
//! use lsmi_candle::baselines::pid_cvx::{Params, decompose};
//! use lsmi_core::SampleIds;
//! use lsmi_core::families::{FamilyName, Settings};
//!
//! let family = FamilyName::Xor.build(&Settings { dims: 2, ..Settings::default() })?;
//! let draw = family.sample(2000, &mut lsmi_core::random::stream(0, "example"));
//! let (x1, x2) = (Matrix::new(2000, 2, draw.x1)?, Matrix::new(2000, 2, draw.x2)?);
//! let samples = FeatureSet::new(SampleIds::rows(2000), x1, x2, draw.labels)?;
//! let found = decompose(&samples, 2, &Params::default())?;
//! assert!((found.parts.s - 2f64.ln()).abs() < 0.05 && found.parts.r.abs() < 0.05);
//! assert!(found.solution.gap < 1e-7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod quantizer;
mod table;

pub use quantizer::Quantizer;

use lsmi_core::Means;
use lsmi_core::discrete::broja::{self, Solution, union_information};

use crate::error::{EstimatorError, Result};
use crate::estimator::check_samples;
use crate::features::FeatureSet;
use table::Table;

/// How features are made discrete, and how their table is solved.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Whether rows are scaled to length 1 first, as published. A modality of one column keeps nothing but its sign then.
    pub normalise: bool,
    /// Principal components of each modality; all of them where it has fewer.
    pub components: usize,
    /// Clusters of each modality.
    pub clusters: usize,
    /// K-means runs from different seeds, of which the one of least inertia counts.
    pub starts: usize,
    /// Rounds of each run at most.
    pub rounds: usize,
    /// The seed of all runs.
    pub seed: u64,
    /// The accuracy of the decomposition of the table.
    pub broja: broja::Settings,
}

impl Default for Params {
    /// Returns the published settings: rows of length 1, 2 components, 20 clusters, the best of 10 runs of at most 300
    /// rounds.
    fn default() -> Self {
        let broja = broja::Settings::default();
        Self { normalise: true, components: 2, clusters: 20, starts: 10, rounds: 300, seed: 0, broja }
    }
}

impl Params {
    fn check(&self, rows: usize) -> Result<()> {
        let positive = "at least 1".to_owned();
        let expected = if !(1..=rows).contains(&self.clusters) {
            ("pid-cvx clusters", self.clusters, format!("between 1 and the number of rows, {rows}"))
        } else if self.components == 0 {
            ("pid-cvx components", self.components, positive)
        } else if self.starts == 0 {
            ("pid-cvx starts", self.starts, positive)
        } else if self.rounds == 0 {
            ("pid-cvx rounds", self.rounds, positive)
        } else {
            return Ok(());
        };
        let (name, found, expected) = expected;
        Err(EstimatorError::Setting { name, found: found.to_string(), expected })
    }
}

/// The decomposition of features made discrete.
#[derive(Debug, Clone, PartialEq)]
pub struct PidCvx {
    /// Redundancy, uniqueness and synergy of the table, in nats.
    pub parts: Means,
    /// The information of both modalities together about the label in the table, in nats.
    pub i12: f64,
    /// The certificate of the decomposition, with the information of each modality.
    pub solution: Solution,
    /// The cluster of each row of x1 and of x2.
    pub assignments: [Vec<u32>; 2],
    /// Sums of squared distances of the rows of x1 and of x2 from their clusters' centres, in principal components.
    pub inertia: [f64; 2],
    /// Clusters of x1 and of x2 that have rows.
    pub occupied: [usize; 2],
}

/// Fits clusters to the samples and decomposes their table, as published.
///
/// # Errors
/// As [`Quantizer::fit`] and [`decompose_with`].
pub fn decompose(samples: &FeatureSet, classes: usize, params: &Params) -> Result<PidCvx> {
    decompose_with(&Quantizer::fit(samples, classes, params)?, samples, classes, &params.broja)
}

/// Decomposes the table of samples by clusters that were fitted to these or to others.
///
/// # Errors
/// [`EstimatorError::Samples`] if the samples do not fit together, [`EstimatorError::Dimensions`] if they have other
/// columns than those the clusters were fitted to, and [`EstimatorError::Core`] if the table takes more memory than
/// `settings` allow.
pub fn decompose_with(
    quantizer: &Quantizer,
    samples: &FeatureSet,
    classes: usize,
    settings: &broja::Settings,
) -> Result<PidCvx> {
    check_samples(samples, classes)?;
    let [(first, first_inertia), (second, second_inertia)] = quantizer.assign(samples)?;
    let clusters = quantizer.clusters();
    let table = Table::count(&first, &second, &samples.labels, [clusters, clusters, classes]);
    let solution = union_information(&table.x1_y(), &table.x2_y(), classes, settings)?;
    let i12 = table.information();
    Ok(PidCvx {
        parts: solution.decompose(i12),
        i12,
        solution,
        occupied: [occupied(&first, clusters), occupied(&second, clusters)],
        assignments: [first, second],
        inertia: [first_inertia, second_inertia],
    })
}

fn occupied(assignment: &[u32], clusters: usize) -> usize {
    let mut is_occupied = vec![false; clusters];
    for cluster in assignment {
        is_occupied[*cluster as usize] = true;
    }
    is_occupied.into_iter().filter(|is_occupied| *is_occupied).count()
}
