//! Gates: checks of whether data can support the conclusions.
//!
//! A decomposition always gives numbers. A gate changes the user's own features so that the right answer is known, or
//! compares what must agree, and says whether the estimator in these settings tells the truth about data of this size,
//! these dimensions and these classes.
//!
//! | gate | action | expected result |
//! |---|---|---|
//! | [`power`] | an exclusive or is planted in the features | synergy, and no redundancy |
//! | [`specificity`] | a modality is paired with its own rotated and scaled copy | neither synergy nor uniqueness |
//! | [`split_halves`] | a modality is paired with itself, half of the columns each | less synergy than the data has |
//! | [`permutation`] | modality 2 is shuffled within every class | the joint head agrees with its closed form |
//! | [`memorisation`] | heads are asked for rows that they were fitted to | no more than of rows that they were not |
//! | [`calibration`] | heads are right as often as they say | the error of a calibrated head, which is chance |
//! | [`coverage`] | evaluation rows are looked up in the training density | no more surprise than in training |
//!
//! [`check`] fits everything itself; [`check_fitted`] takes a fit of the data that exists already. One seed gives the
//! same gates to the bit.

pub mod calibration;
pub mod coverage;
pub mod memorisation;
pub mod permutation;
pub mod power;
pub mod specificity;
pub mod split_halves;

mod bench;
mod rows;
mod summary;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

use self::bench::{Bench, Fits};
use self::rows::sample_rows;
pub use self::summary::CheckSummary;
use crate::error::{EstimatorError, Result};
use crate::estimator::{self, CrossFit, Progress, Scores};
use crate::features::{Classes, FeatureSet};

/// The ratio of a figure to its threshold from which on a gate fails, for thresholds that are the figure by chance.
const BEYOND_CHANCE: f64 = 1.5;

/// The action, measurements and verdict of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// The gate: the name of its module.
    pub name: Cow<'static, str>,
    /// The action, in a sentence.
    pub did: String,
    /// The figure that the verdict rests on; the gate's module defines it.
    pub figure: f64,
    /// All measurements; information in nats.
    pub figures: BTreeMap<String, f64>,
    /// The threshold of the figure: beyond it the gate warns or fails, but [`power`] below it, and [`permutation`]
    /// beyond it in either direction.
    pub threshold: f64,
    /// The reason for this threshold.
    pub why: String,
    /// Whether the data passes.
    pub verdict: Verdict,
    /// The meaning of the verdict for the results and advice, unless the data passes.
    pub advice: Option<String>,
}

/// Whether data passes a gate, from good to bad; written as `pass`, `warn` and `fail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The results may be taken as they are.
    Pass,
    /// The results need the care that the advice asks for.
    Warn,
    /// The results must not be concluded from.
    Fail,
}

/// Settings of the gates.
#[derive(Debug, Clone)]
pub struct GateSettings {
    /// The strength of the exclusive or that [`power`] plants: the distance of a bit from the middle in standard
    /// deviations of the features. Default: 3.
    pub strength: f64,
    /// The largest number of rows that models are fitted to, the classes in proportion; of a class with fewer rows than
    /// folds all. Default: 5,000.
    pub rows: usize,
    /// The settings of all fits: those of the data itself.
    pub estimator: estimator::Settings,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self { strength: 3.0, rows: 5000, estimator: estimator::Settings::default() }
    }
}

impl GateSettings {
    /// Checks the settings that the estimator does not check.
    fn check(&self) -> Result<()> {
        if self.strength > 0.0 && self.strength.is_finite() {
            return Ok(());
        }
        let (found, expected) = (self.strength.to_string(), "above 0 and finite".to_owned());
        Err(EstimatorError::Setting { name: "strength", found, expected })
    }
}

/// Asks every gate about training rows, and [`coverage`] about evaluation rows, given with their names.
///
/// Models are fitted to at most [`GateSettings::rows`] rows. Gates that the data has no room for are left out: those that
/// need a second column, a row to hold out, evaluation rows; and, where the joint head is a user's own model, those that fit
/// heads to changed features, as they would tell nothing of it. [`memorisation`] warns of heads that it cannot judge.
/// Steps are sent to `progress` as [`estimator::cross_fit`] does, counted over all fits.
///
/// # Errors
/// [`EstimatorError::Setting`] for a strength that is not above 0, and the errors of [`estimator::cross_fit`] and
/// [`estimator::Estimator::score`].
///
/// ```
/// use lsmi_candle::features::{Classes, FeatureSet};
/// use lsmi_candle::gates::{GateSettings, Verdict, check};
/// use lsmi_candle::Matrix;
/// use lsmi_core::families::{FamilyName, Settings as FamilySettings};
///
/// let family = FamilyName::Or.build(&FamilySettings { dims: 2, ..Default::default() })?;
/// let draw = family.sample(100, &mut lsmi_core::random::stream(0, "example"));
/// let (x1, x2) = (Matrix::new(100, 2, draw.x1)?, Matrix::new(100, 2, draw.x2)?);
/// let train = FeatureSet::new(lsmi_core::SampleIds::rows(100), x1, x2, draw.labels)?;
/// let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()])?;
///
/// let gates = check(&train, &classes, &[], &GateSettings::default(), None)?;
/// let power = &gates[0];
/// assert_eq!((power.name.as_ref(), power.verdict), ("power", Verdict::Pass));
/// assert!(power.figure > power.threshold && power.figures["r"].abs() < 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check(
    train: &FeatureSet,
    classes: &Classes,
    evaluations: &[(&str, &FeatureSet)],
    settings: &GateSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<Vec<Gate>> {
    settings.check()?;
    check_lengths(train)?;
    let sample = train.select(&sample_rows(&train.labels, settings.rows, &settings.estimator));
    let fits = Fits::new(progress, 1 + fits_of_gates(&sample));
    let fit = fits.fit("the data itself", &sample, classes, &settings.estimator)?;
    let scores = evaluations.iter().map(|(name, rows)| Ok((*name, fit.estimator.score(rows)?)));
    let scores = scores.collect::<Result<Vec<(&str, Scores)>>>()?;
    let scores: Vec<(&str, &Scores)> = scores.iter().map(|(name, scores)| (*name, scores)).collect();
    ask(&sample, classes, &fit, &scores, settings, fits)
}

/// Does the same as [`check`] for training rows that are fitted already, and for the scores of evaluation rows by that
/// fit.
///
/// # Errors
/// [`EstimatorError::Samples`] where the fit is of other rows, and those of [`check`].
pub fn check_fitted(
    train: &FeatureSet,
    classes: &Classes,
    fit: &CrossFit,
    evaluations: &[(&str, &Scores)],
    settings: &GateSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<Vec<Gate>> {
    settings.check()?;
    if fit.estimator.description().data_hash != train.hash() {
        let (found, expected) = ("one of other rows".to_owned(), "one of the training rows given".to_owned());
        return Err(EstimatorError::Samples { what: "the fit", found, expected });
    }
    ask(train, classes, fit, evaluations, settings, Fits::new(progress, fits_of_gates(train)))
}

/// Asks every gate.
fn ask(
    train: &FeatureSet,
    classes: &Classes,
    fit: &CrossFit,
    evaluations: &[(&str, &Scores)],
    settings: &GateSettings,
    fits: Fits<'_>,
) -> Result<Vec<Gate>> {
    let sample = sample_rows(&train.labels, settings.rows, &settings.estimator);
    let bench = Bench::new(train.select(&sample), classes, &settings.estimator, fits)?;
    let mut gates = Vec::new();
    if is_joint_head_fitted(train) {
        gates.extend([power::ask(&bench, settings.strength)?, specificity::ask(&bench)?]);
        gates.extend(split_halves::ask(&bench, fit)?);
        gates.extend(permutation::ask(&bench)?);
    }
    gates.push(memorisation::ask(&bench, fit, &sample)?);
    gates.push(calibration::ask(&fit.scores, &sample, settings.estimator.seed));
    gates.extend(coverage::ask(&fit.scores, evaluations));
    Ok(gates)
}

/// Counts the fits of the gates: one for [`power`] and [`permutation`], one a modality for [`specificity`] and, where
/// there is a column for each half, for [`split_halves`]; none where the joint head is a user's own model.
fn fits_of_gates(rows: &FeatureSet) -> usize {
    if !is_joint_head_fitted(rows) {
        return 0;
    }
    4 + [&rows.x1, &rows.x2].into_iter().filter(|x| x.columns() > 1).count()
}

fn is_joint_head_fitted(rows: &FeatureSet) -> bool {
    rows.logits[2].is_none()
}

/// Checks the lengths that selecting rows relies on; the estimator checks the rest.
fn check_lengths(train: &FeatureSet) -> Result<()> {
    let rows = train.rows();
    let found = [train.ids.len(), train.x1.rows(), train.x2.rows()];
    if found == [rows; 3] {
        return Ok(());
    }
    let what = "the number of ids, rows of x1 and rows of x2";
    Err(EstimatorError::Samples {
        what,
        found: format!("{found:?}"),
        expected: format!("the number of labels, {rows}"),
    })
}

/// Names figures.
fn figures<const N: usize>(named: [(&str, f64); N]) -> BTreeMap<String, f64> {
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Verdict {
    /// All verdicts, from good to bad.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Warn, Self::Fail];

    /// Returns the name: `pass`, `warn` or `fail`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// Returns the verdict on a figure that passes up to one bound, is warned of up to another and fails beyond.
    fn from_bounds(figure: f64, pass: f64, warn: f64) -> Self {
        if figure <= pass {
            Self::Pass
        } else if figure <= warn {
            Self::Warn
        } else {
            // Here too for what is no number.
            Self::Fail
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
