//! Options of `lsmi compare`.

use std::path::PathBuf;

use clap::Args;
use lsmi_candle::baselines::compare::Method;
use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_core::Measure;

use super::{Arrays, Common, DataFiles};

pub(super) const COMPARE_EXAMPLES: &str = "\
The methods:
  lsmi       this program's estimator: adjusted means of cross-fitted values
  pid-batch  Liang et al. 2023: discriminators, and a coupling learned batch by batch
  pid-cvx    Liang et al. 2023: clusters of each modality, and the exact decomposition of their joint distribution

All answer for the same rows, those of --eval if given, else of DATA's split `test` if there is one, else for the training \
rows; then PID-Batch, which has no cross-fitting, is evaluated on a fifth that it was not trained on. The seconds do not count \
intervals.

Where there is an exact answer, it and the errors are shown: for files of `lsmi simulate`, from the density; with --exact \
also for features that have few different rows, from their joint distribution with the label.

Examples:
  lsmi compare features.npz
  lsmi simulate or --n 4000 --out or.safetensors && lsmi compare or.safetensors
  lsmi compare train.npz --eval test.npz --methods lsmi,pid-cvx --seeds 5
  lsmi compare features.npz --json --quiet | jq .methods.lsmi.seconds";

/// `lsmi compare`.
#[derive(Debug, Args)]
#[command(mut_arg("x1", |option| option.requires("y")))]
pub(crate) struct Compare {
    #[command(flatten)]
    pub(crate) data: DataFiles,
    /// Feature file to answer for (of one with splits, `test`)
    #[arg(long, value_name = "DATA")]
    pub(crate) eval: Option<PathBuf>,
    /// What to compare: lsmi, pid-batch, pid-cvx
    #[arg(long, value_name = "METHOD,...", default_value = "lsmi,pid-batch,pid-cvx", value_parser = methods)]
    pub(crate) methods: MethodList,
    /// Ask for the exact answer: it is an error if there is none
    #[arg(long)]
    pub(crate) exact: bool,
    /// Run each method with so many seeds, from --seed on, and take the mean
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) seeds: u16,
    /// File for the result as JSON; without it nothing is written
    #[arg(long, value_name = "FILE.json")]
    pub(crate) out: Option<PathBuf>,
    /// Coordinates in which LSMI measures surprisal: whitened, standardized or raw
    #[arg(long, default_value = "whitened")]
    pub(crate) gauge: GaugeKind,
    /// LSMI's measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "pm")]
    pub(crate) measure: Measure,
    /// Folds of LSMI's cross-fitting
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) folds: u16,
    /// Rows of PID-Batch's batches
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) batch: u32,
    /// Clusters of each modality for PID-CVX
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) clusters: u16,
    /// Principal components of each modality for PID-CVX
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) components: u16,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Methods, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MethodList(pub(crate) Vec<Method>);

fn methods(text: &str) -> Result<MethodList, String> {
    let mut list = Vec::new();
    for name in text.split(',') {
        let method: Method =
            name.trim().parse().map_err(|error: lsmi_candle::baselines::compare::UnknownMethod| error.to_string())?;
        if list.contains(&method) {
            return Err(format!("`{method}` is there twice; name every method once"));
        }
        list.push(method);
    }
    Ok(MethodList(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_named_once() {
        assert_eq!(methods("pid-cvx, lsmi"), Ok(MethodList(vec![Method::PidCvx, Method::Lsmi])));
        for (text, expected) in
            [("lsmi,lsmi", "`lsmi` is there twice"), ("lsmi,", "`` is no method"), ("pid", "pid-cvx")]
        {
            let message = methods(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
