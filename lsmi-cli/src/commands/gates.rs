//! The gates: can this data support conclusions? What `check` asks, and what `--check` asks after a fit.

use lsmi_candle::estimator::{CrossFit, Scores, Settings};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::gates::{Gate, GateSettings, check_fitted};

use crate::arguments::{CheckToo, Common, Gates};
use crate::process::failure::Failure;
use crate::process::progress;
use crate::scored::ScoredSplit;

/// The settings of gates about data that is fitted with `estimator`.
pub(super) fn gate_settings(options: Gates, estimator: Settings) -> GateSettings {
    GateSettings { strength: options.strength, rows: options.rows as usize, estimator }
}

/// Asks the gates about a fit, if that is wanted; `train`, `classes` and `settings` are those of the fit, `evaluations`
/// the splits that it scored.
pub(super) fn gates(
    options: CheckToo,
    common: &Common,
    fit: &CrossFit,
    (train, classes): (&FeatureSet, &Classes),
    evaluations: &[ScoredSplit],
    settings: &Settings,
) -> Result<Option<Vec<Gate>>, Failure> {
    if !options.check {
        return Ok(None);
    }
    let settings = gate_settings(options.gates, settings.clone());
    let scores: Vec<(&str, &Scores)> = evaluations.iter().map(|split| (split.name.as_str(), &split.scores)).collect();
    let gates = progress::shown(common.quiet, |sender| check_fitted(train, classes, fit, &scores, &settings, sender))?;
    Ok(Some(gates))
}
