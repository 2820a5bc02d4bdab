//! How estimators are fitted for what guides, where not all of an estimator is looked at.

use lsmi_candle::densities::knife::{self, KnownParams};
use lsmi_candle::densities::mixture::Covariance;
use lsmi_candle::estimator::Settings;
use lsmi_core::Measure;

/// The same settings, with the simplest density where information terms alone are enough for the measure: those of `ccs` and
/// `mmi` look at no density.
pub(crate) fn without_idle_densities(settings: Settings) -> Settings {
    match settings.measure {
        Measure::Ccs | Measure::Mmi => with_simplest_densities(settings),
        _ => settings,
    }
}

/// The same settings, with the simplest density: for work that looks at posteriors alone.
pub(crate) fn with_simplest_densities(settings: Settings) -> Settings {
    Settings { knife: knife::Params::Known(KnownParams::new(1, Covariance::Diagonal)), ..settings }
}
