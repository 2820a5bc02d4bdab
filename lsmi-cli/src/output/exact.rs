//! The exact answer, where there is one: from a simulated file's density, or from few states.

use std::collections::HashMap;
use std::path::Path;

use lsmi_candle::features::{FeatureError, FeatureSet, read_metadata};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::discrete::{Counts, Information, JointMeasure};
use lsmi_core::families::Draw;
use lsmi_core::{Adjusted, FamilyName, Means, Measure, Settings, TermMeans, adjust};
use serde::Serialize;

use crate::process::failure::Failure;

/// A modality with more different rows than this is not taken for discrete.
const STATES: usize = 256;

/// What the decomposition of the rows is without any estimate, in nats.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Exact {
    /// Where it comes from.
    pub(crate) source: Source,
    /// I(X1;Y), I(X2;Y) and I(X1,X2;Y).
    pub(crate) information: Information,
    /// R, U1, U2 and S.
    #[serde(flatten)]
    pub(crate) means: Means,
}

/// Where an exact answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The density of a simulated family: adjusted exact means of the rows.
    Density,
    /// The joint distribution of the rows' states and the label: BROJA.
    States,
}

/// The exact answer for rows of a file of `lsmi simulate`; none for other files.
pub(crate) fn of_simulated(file: &Path, rows: &FeatureSet, measure: Measure) -> Result<Option<Exact>, Failure> {
    let text = |key: &str| -> Result<Option<String>, FeatureError> { read_metadata(file, key) };
    let (Some(family), Some(parameters)) = (text("family")?, text("parameters")?) else { return Ok(None) };
    let unreadable = |what: &str| {
        Failure::data(format!("its metadata name {what} that this version does not know; simulate it anew")).about(file)
    };
    let family: FamilyName = family.parse().map_err(|_| unreadable("a family"))?;
    let settings: Settings = serde_json::from_str(&parameters).map_err(|_| unreadable("parameters"))?;
    let family = family.build(&settings).map_err(|error| Failure::data(error).about(file))?;
    let draw = Draw {
        x1: rows.x1.values().to_vec(),
        x2: rows.x2.values().to_vec(),
        labels: rows.labels.clone(),
        dims: (rows.x1.columns(), rows.x2.columns()),
        classes: family.classes(),
        groups: None,
    };
    let terms = family.terms(&draw).map_err(|error| Failure::data(error).about(file))?;
    let TermMeans { i1, i2, i12, .. } = terms.means();
    let Adjusted { r, u1, u2, s, .. } = adjust(&measure.decompose(&terms, &rows.labels).means());
    let information = Information { i1, i2, i12 };
    Ok(Some(Exact { source: Source::Density, information, means: Means { r, u1, u2, s } }))
}

/// The exact answer for rows of few different values; none where there are more than 256 of either modality.
pub(crate) fn of_states(rows: &FeatureSet) -> Result<Option<Exact>, Failure> {
    let (Some(x1), Some(x2)) = (states(&rows.x1), states(&rows.x2)) else { return Ok(None) };
    let names = |states: &[usize]| states.iter().map(ToString::to_string).collect::<Vec<_>>();
    let labels: Vec<usize> = rows.labels.iter().map(|label| *label as usize).collect();
    let (x1, x2, y) = (names(&x1), names(&x2), names(&labels));
    let samples = x1.iter().zip(&x2).zip(&y).map(|((x1, x2), y)| ([x1.as_str(), x2.as_str()], y.as_str()));
    let joint = Counts::from_samples(samples).map_err(Failure::data)?.joint();
    let means = JointMeasure::Broja.decompose(&joint).map_err(Failure::data)?.means;
    Ok(Some(Exact { source: Source::States, information: joint.information(), means }))
}

/// The number of each row's value among the different ones, in order of appearance, if these are few.
fn states(x: &Matrix) -> Option<Vec<usize>> {
    let mut numbers: HashMap<Vec<u64>, usize> = HashMap::new();
    let mut of_rows = Vec::with_capacity(x.rows());
    for row in 0..x.rows() {
        // Adding 0 makes one zero of both.
        let bits = x.row(row).iter().map(|value| (value + 0.0).to_bits()).collect();
        let next = numbers.len();
        of_rows.push(*numbers.entry(bits).or_insert(next));
        if numbers.len() > STATES {
            return None;
        }
    }
    Some(of_rows)
}
