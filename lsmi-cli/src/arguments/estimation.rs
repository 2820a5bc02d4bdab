//! How to fit: the options that become the settings of an estimator, and that of the test against chance.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use lsmi_candle::densities::gauge::{Dims, GaugeKind};
use lsmi_core::{ClassPrior, Measure, PriorChoice};

/// How to fit.
#[derive(Debug, Args)]
pub(crate) struct Estimation {
    /// Folds of the cross-fitting
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) folds: u16,
    /// Fits with folds and random draws of their own, which are averaged [default: 1]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) repeats: Option<u16>,
    /// Coordinates in which surprisal is measured: whitened, standardized or raw
    #[arg(long, default_value = "whitened")]
    pub(crate) gauge: GaugeKind,
    /// Dimensions of the whitened gauge: auto or a number
    #[arg(long, default_value = "auto")]
    pub(crate) dims: Dims,
    /// Class prior: empirical, uniform, or one probability a class, in the order of the classes
    #[arg(long, value_name = "empirical|uniform|P1,P2,...", default_value = "empirical", value_parser = prior)]
    pub(crate) prior: PriorChoice,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "pm")]
    pub(crate) measure: Measure,
    #[command(flatten)]
    pub(crate) measures: Measures,
    /// Fit densities as in the published implementation, for comparison
    #[arg(long)]
    pub(crate) published_knife: bool,
    /// Reuse the gauge and the densities of a saved estimator instead of fitting them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gauge", "dims", "published_knife"])]
    pub(crate) knife_from: Option<PathBuf>,
    /// Fit a temperature for the file's logits1, logits2, logits12
    #[arg(long)]
    pub(crate) scale_logits: bool,
}

impl Estimation {
    /// The number of fits that was asked for, else one.
    pub(crate) fn repeats_or_one(&self) -> usize {
        self.repeats.map_or(1, usize::from)
    }
}

/// Measures to decompose by besides the estimator's own.
#[derive(Debug, Clone, Args)]
pub(crate) struct Measures {
    /// Decompose by these measures as well, such as sx,mmi,ccs,min: means in the summary, columns in the samples
    #[arg(long, value_name = "MEASURE,...", value_parser = measures)]
    measures: Option<MeasureList>,
}

/// Measures, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MeasureList(Vec<Measure>);

impl Measures {
    /// The measures, in the order in which they were given.
    pub(crate) fn listed(&self) -> &[Measure] {
        self.measures.as_ref().map_or(&[], |list| &list.0)
    }
}

/// Whether to test the training rows' means against chance.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct NullTest {
    /// Permute the labels B times, better 99 or more, and refit the heads to show what chance gives; 0: do not
    #[arg(long = "null", value_name = "B", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(crate) permutations: u32,
}

fn prior(text: &str) -> Result<PriorChoice, String> {
    match text {
        "empirical" => Ok(PriorChoice::Empirical),
        "uniform" => Ok(PriorChoice::Uniform),
        _ => {
            let probabilities = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<Vec<f64>>>();
            let probabilities = probabilities.ok_or(
                "use empirical, uniform or one probability a class, in the order of the classes, as in 0.2,0.5,0.3",
            )?;
            ClassPrior::given(&probabilities).map_err(|error| error.to_string())?;
            Ok(PriorChoice::Given(probabilities))
        }
    }
}

fn measures(text: &str) -> Result<MeasureList, String> {
    each_once(text).map(MeasureList)
}

/// The measures named in a list, none of them twice.
pub(super) fn each_once<M>(text: &str) -> Result<Vec<M>, String>
where
    M: FromStr<Err = lsmi_core::Error> + PartialEq + Display,
{
    let mut list = Vec::new();
    for name in text.split(',') {
        let measure: M = name.trim().parse().map_err(|error: lsmi_core::Error| error.to_string())?;
        if list.contains(&measure) {
            return Err(format!("`{measure}` is there twice; name every measure once"));
        }
        list.push(measure);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_named_once() {
        assert_eq!(measures("min, pm"), Ok(MeasureList(vec![Measure::Min, Measure::Pm])));
        for (text, expected) in [("pm,sx,pm", "`pm` is there twice"), ("pm,", "`` is no measure"), ("PM", "pm, sx,")] {
            let message = measures(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn priors_are_words_or_probabilities() {
        assert_eq!(prior("uniform"), Ok(PriorChoice::Uniform));
        assert_eq!(prior("0.25, 0.75"), Ok(PriorChoice::Given(vec![0.25, 0.75])));
        let wrong = [("given", "use empirical"), ("0.5,", "use empirical"), ("0.5,0.6", "sum to"), ("1,0", "class 1")];
        for (text, expected) in wrong {
            let message = prior(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
