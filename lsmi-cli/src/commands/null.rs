//! `--null B`: the training rows' means held against those under permuted labels.

use lsmi_candle::estimator::{CrossFit, Settings};
use lsmi_candle::features::FeatureSet;

use crate::arguments::{Common, NullTest};
use crate::output::null::NullSummary;
use crate::process::failure::Failure;
use crate::process::progress;

/// Tests a fit's means, if that is wanted; `train` and `settings` are those of the fit.
pub(super) fn null(
    options: NullTest,
    common: &Common,
    fit: &CrossFit,
    train: &FeatureSet,
    settings: &Settings,
) -> Result<Option<NullSummary>, Failure> {
    if options.permutations == 0 {
        return Ok(None);
    }
    let permutations = options.permutations as usize;
    let null = progress::shown(common.quiet, |sender| fit.null(train, settings, permutations, sender))?;
    Ok(Some(NullSummary::new(null, fit.estimator.classes().names())))
}
