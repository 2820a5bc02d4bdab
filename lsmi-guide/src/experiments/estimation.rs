//! How estimators are fitted for what guides, where not all of an estimator is looked at.

use lsmi_candle::densities::gauge::Dims;
use lsmi_candle::densities::knife::{self, GradientParams, HeldOutParams, KnownParams};
use lsmi_candle::densities::mixture::Covariance;
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::Settings;
use lsmi_core::Measure;
use serde_json::{Value, json};

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

/// Describes how estimators are fitted, so that saved work is not continued under other settings.
///
/// The number of threads is left out, for it changes no result. Every field is named here: one that is added must be
/// considered before this compiles again.
pub(crate) fn identity(settings: &Settings) -> Value {
    let Settings {
        seed,
        folds,
        repeats,
        gauge,
        dims,
        prior,
        measure,
        knife,
        densities,
        folds_of_rows,
        prototypes,
        scale_logits,
        threads: _,
        device,
    } = settings;
    let dims = match dims {
        Dims::Auto => json!("auto"),
        Dims::Fixed(dims) => json!(dims),
    };
    let device = match device {
        DeviceChoice::Auto => "auto".to_owned(),
        DeviceChoice::Cpu => "cpu".to_owned(),
        DeviceChoice::Cuda(ordinal) => format!("cuda:{ordinal}"),
        DeviceChoice::Metal => "metal".to_owned(),
    };
    let mut identity = json!({
        "seed": seed,
        "folds": folds,
        "repeats": repeats,
        "gauge": gauge,
        "dims": dims,
        "prior": prior,
        "measure": measure,
        "knife": knife_identity(knife),
        "densities": densities.as_ref().map(|estimator| estimator.description()),
        "scale_logits": scale_logits,
        "device": device,
    });
    // Named where they are used alone, so that work that was saved before there were such settings goes on.
    if let Some(folds) = folds_of_rows {
        identity["folds_of_rows"] = json!(**folds);
    }
    if *prototypes {
        identity["prototypes"] = json!(true);
    }
    identity
}

fn knife_identity(params: &knife::Params) -> Value {
    match params {
        knife::Params::HeldOut(HeldOutParams { components, covariances, share }) => {
            json!({ "held_out": { "components": components, "covariances": covariances, "share": share } })
        }
        knife::Params::Known(KnownParams { components, covariance, starts, rounds, tolerance }) => json!({ "known": {
            "components": components,
            "covariance": covariance,
            "starts": starts,
            "rounds": rounds,
            "tolerance": tolerance,
        } }),
        knife::Params::Gradient(GradientParams { components, start_deviation, epochs, batch, rate, epochs_a_rate }) => {
            json!({ "gradient": {
            "components": components,
            "start_deviation": start_deviation,
            "epochs": epochs,
            "batch": batch,
            "rate": rate,
            "epochs_a_rate": epochs_a_rate,
        } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_no_part_of_what_a_fit_is_and_all_else_is() {
        let usual = Settings::default();
        assert_eq!(identity(&usual), identity(&Settings { threads: 7, ..usual.clone() }));
        let others = [
            Settings { seed: 1, ..usual.clone() },
            Settings { dims: Dims::Fixed(3), ..usual.clone() },
            Settings { knife: knife::Params::published(), ..usual.clone() },
            Settings { device: DeviceChoice::Cuda(1), ..usual.clone() },
            with_simplest_densities(usual.clone()),
        ];
        for other in others {
            assert_ne!(identity(&usual), identity(&other), "{other:?}");
        }
    }
}
