//! The command line: every command, every option, and the help that goes with them.
//!
//! Options may also stand in a file given with `--config`; see [`crate::configuration`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::Settings;
use lsmi_candle::features::Keys;
use lsmi_candle::gauge::{Dims, GaugeKind};
use lsmi_candle::knife;
use lsmi_core::{FamilyName, Interaction, Measure, PriorChoice};

use crate::names::Names;
use crate::output::Format;

/// How much of what two modalities tell about a label is redundant, unique and synergistic, sample by sample.
#[derive(Debug, Parser)]
#[command(name = "lsmi", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
All values are in nats. Data goes to stdout, everything else to stderr.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 the data cannot be used.

Start here:
  lsmi demo";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole path on built-in data: what picture and name of an emoji tell about its category.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Cross-fit an estimator, decompose every sample, summarise and save.
    #[command(after_help = ANALYZE_EXAMPLES)]
    Analyze(Analyze),
    /// Fit an estimator and save it, nothing else.
    #[command(after_help = FIT_EXAMPLES)]
    Fit(Fit),
    /// Decompose new samples with a saved estimator.
    #[command(after_help = SCORE_EXAMPLES)]
    Score(Score),
    /// Draw samples from a known density, with their exact terms and r, u1, u2, s.
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(Simulate),
    /// Split samples into high, middle and low by r, u1, u2 or s.
    #[command(after_help = PARTITION_EXAMPLES)]
    Partition(Partition),
}

const DEMO_EXAMPLES: &str = "\
Examples:
  lsmi demo
  lsmi demo --out demo                 also writes samples.csv, summary.json, estimator.safetensors
  lsmi demo --json --quiet | jq .splits.train.adjusted";

const ANALYZE_EXAMPLES: &str = "\
A feature file (.safetensors, .npz or .pt) holds x1 [n, d1], x2 [n, d2], y [n] and, if there is one, id [n]; with \
splits: x1_train, x1_test and so on. Rows of the split `train` are scored by models that did not see them, all others \
by all folds' models together.

Examples:
  lsmi analyze features.safetensors --out result
  lsmi analyze train.npz --eval test.npz --out result --format jsonl
  lsmi analyze features.pt --keys image,text,label --names picture,caption --out result";

const FIT_EXAMPLES: &str = "\
Examples:
  lsmi fit train.safetensors --out estimator.safetensors
  lsmi fit train.npz --folds 10 --gauge raw --out estimator.safetensors";

const SCORE_EXAMPLES: &str = "\
A file without splits is scored as the split `eval`. Of a file with splits, every split but `train` is scored: values \
of rows that the estimator was fitted on would be far too good; `lsmi analyze` gives honest ones.

Examples:
  lsmi score test.safetensors --estimator estimator.safetensors --out samples.csv
  lsmi score test.npz --estimator result/estimator.safetensors --out samples.jsonl --json";

const SIMULATE_EXAMPLES: &str = "\
The families: two bits seen through noise, with the label their xor, or, and, the first bit (copy1) or the bit they \
share (rdn); mixed, half xor and half unique to x2; groups, five groups that are redundant, unique to x1, unique to \
x2, synergistic and none of these (the array group says which); gauss, a class mean under correlated noise.

Two files of different --seed come from one distribution, so that one can serve for training and one for evaluation: \
the directions along which the bits show depend on --parameters alone.

Examples:
  lsmi simulate xor --n 4000 --out train.safetensors
  lsmi simulate xor --n 4000 --seed 1 --out eval.safetensors
  lsmi simulate gauss --classes 10 --correlation -0.3 --noise 0.5 --n 4000 --out gauss.safetensors";

const PARTITION_EXAMPLES: &str = "\
Writes high.txt, middle.txt and low.txt, one id a line in the order of the samples, and partition.json.

Examples:
  lsmi partition result/samples.csv --by r --fraction 0.3 --out subsets
  lsmi partition result/samples.csv --by s --fraction 0.3 --balanced --split train --out subsets
  lsmi partition result/samples.jsonl --by u1 --threshold -0.1,0.5 --out subsets";

/// `lsmi demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Directory for the files that `analyze` writes; without it nothing is written
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Format of the samples: csv or jsonl
    #[arg(long, default_value = "csv")]
    pub(crate) format: Format,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "picture,name")]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `lsmi analyze`.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Feature file to fit on and to decompose
    pub(crate) data: PathBuf,
    /// Feature file to score as the split `eval` (of one with splits, `test`); may be repeated (`eval2`, `eval3`, ...)
    #[arg(long, value_name = "DATA")]
    pub(crate) eval: Vec<PathBuf>,
    /// Directory for the samples, the summary and the estimator
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Format of the samples: csv or jsonl
    #[arg(long, default_value = "csv")]
    pub(crate) format: Format,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "x1,x2")]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `lsmi fit`.
#[derive(Debug, Args)]
pub(crate) struct Fit {
    /// Feature file to fit on
    pub(crate) data: PathBuf,
    /// File for the estimator
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "x1,x2")]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `lsmi score`.
#[derive(Debug, Args)]
pub(crate) struct Score {
    /// Feature file to score
    pub(crate) data: PathBuf,
    /// Estimator saved by `fit` or `analyze`
    #[arg(long, value_name = "FILE")]
    pub(crate) estimator: PathBuf,
    /// File for the samples
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Format of the samples: csv or jsonl [default: by the extension of --out, else csv]
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "x1,x2")]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `lsmi simulate`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Simulate {
    /// Family of densities: xor, or, and, copy1, rdn, mixed, groups or gauss
    pub(crate) family: FamilyName,
    /// Number of samples
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(crate) n: u32,
    /// File for the samples, .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Seed of the directions along which the bits show
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) parameters: u64,
    /// Dimensions of each modality [default: 10; groups: 12; gauss: one per class]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) dims: Option<u32>,
    /// How far a bit moves its modality from the middle (all families but gauss) [default: 3]
    #[arg(long)]
    pub(crate) amplitude: Option<f64>,
    /// Standard deviation of the noise (all families but gauss) [default: 1]
    #[arg(long)]
    pub(crate) sigma: Option<f64>,
    /// Number of classes (gauss) [default: 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) classes: Option<u32>,
    /// Correlation of the two modalities' noise (gauss) [default: 0.5]
    #[arg(long)]
    pub(crate) correlation: Option<f64>,
    /// Standard deviation of the noise (gauss) [default: 0.5]
    #[arg(long)]
    pub(crate) noise: Option<f64>,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "pm")]
    pub(crate) measure: Measure,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Simulate {
    /// What makes the family out of its name, or the option given that the family does not have.
    pub(crate) fn settings(&self) -> Result<lsmi_core::Settings, &'static str> {
        let is_gauss = self.family == FamilyName::Gauss;
        let foreign = [
            ("--amplitude", is_gauss && self.amplitude.is_some()),
            ("--sigma", is_gauss && self.sigma.is_some()),
            ("--classes", !is_gauss && self.classes.is_some()),
            ("--correlation", !is_gauss && self.correlation.is_some()),
            ("--noise", !is_gauss && self.noise.is_some()),
        ];
        if let Some((option, _)) = foreign.into_iter().find(|(_, is_foreign)| *is_foreign) {
            return Err(option);
        }
        let usual = lsmi_core::Settings::default();
        let classes = self.classes.map_or(usual.classes, |classes| classes as usize);
        let usual_dims = match self.family {
            FamilyName::Gauss => classes,
            FamilyName::Groups => 12,
            _ => usual.dims,
        };
        Ok(lsmi_core::Settings {
            dims: self.dims.map_or(usual_dims, |dims| dims as usize),
            classes,
            amplitude: self.amplitude.unwrap_or(usual.amplitude),
            sigma: self.sigma.unwrap_or(usual.sigma),
            correlation: self.correlation.unwrap_or(usual.correlation),
            noise: self.noise.unwrap_or(usual.noise),
            parameter_seed: self.parameters,
        })
    }
}

/// `lsmi partition`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Partition {
    /// samples.csv or samples.jsonl of `analyze` or `score`
    pub(crate) samples: PathBuf,
    /// Interaction to split by: r, u1, u2 or s
    #[arg(long)]
    pub(crate) by: Interaction,
    #[command(flatten)]
    pub(crate) rule: PartitionRule,
    /// Let every class give the same share of its samples to each list
    #[arg(long)]
    pub(crate) balanced: bool,
    /// Take the samples of this split [default: train, or the only one]
    #[arg(long)]
    pub(crate) split: Option<String>,
    /// Directory for the lists
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Where `lsmi partition` draws its two lines.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PartitionRule {
    /// Share of the samples in each of high and low, above 0 and at most 0.5
    #[arg(long)]
    pub(crate) fraction: Option<f64>,
    /// Low up to the first value, high from the second, in nats
    #[arg(long, value_name = "LOW,HIGH", value_parser = two_numbers, allow_hyphen_values = true)]
    pub(crate) threshold: Option<(f64, f64)>,
}

/// Which arrays to read.
#[derive(Debug, Args)]
pub(crate) struct Arrays {
    /// Names of the arrays in the file [default: x1,x2,y and, where there is one, id]
    #[arg(long, value_name = "X1,X2,LABEL[,ID]")]
    keys: Option<Keys>,
}

impl Arrays {
    /// The names given, or the usual ones.
    pub(crate) fn keys(&self) -> Keys {
        self.keys.clone().unwrap_or_default()
    }
}

/// How to fit.
#[derive(Debug, Args)]
pub(crate) struct Estimation {
    /// Folds of the cross-fitting
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) folds: u16,
    /// Coordinates in which surprisal is measured: whitened, standardized or raw
    #[arg(long, default_value = "whitened")]
    pub(crate) gauge: GaugeKind,
    /// Dimensions of the whitened gauge: auto or a number
    #[arg(long, default_value = "auto")]
    pub(crate) dims: Dims,
    /// Class prior: empirical or uniform
    #[arg(long, default_value = "empirical", value_parser = prior)]
    pub(crate) prior: PriorChoice,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "pm")]
    pub(crate) measure: Measure,
    /// Fit densities as in the published implementation, for comparison
    #[arg(long)]
    pub(crate) published_knife: bool,
}

impl Estimation {
    /// The same for the estimator.
    pub(crate) fn settings(&self, common: &Common) -> Settings {
        Settings {
            seed: common.seed,
            folds: usize::from(self.folds),
            gauge: self.gauge,
            dims: self.dims,
            prior: self.prior.clone(),
            measure: self.measure,
            knife: if self.published_knife { knife::Params::published() } else { knife::Params::default() },
            threads: common.threads.map_or(0, usize::from),
            device: common.device,
        }
    }
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Models fitted at the same time; changes no result [default: one per processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Device: auto, cpu, cuda, cuda:N or metal
    #[arg(long, default_value = "auto")]
    pub(crate) device: DeviceChoice,
    /// File of options, by the same names; options on the command line win
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: Option<PathBuf>,
    /// Print the result as JSON to stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no table
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Overwrite existing output
    #[arg(long)]
    pub(crate) force: bool,
}

fn prior(text: &str) -> Result<PriorChoice, String> {
    match text {
        "empirical" => Ok(PriorChoice::Empirical),
        "uniform" => Ok(PriorChoice::Uniform),
        _ => Err("use empirical or uniform".to_owned()),
    }
}

fn two_numbers(text: &str) -> Result<(f64, f64), String> {
    let number = |part: &str| part.trim().parse::<f64>().ok().filter(|value| !value.is_nan());
    match text.split(',').map(number).collect::<Vec<_>>().as_slice() {
        [Some(low), Some(high)] if low < high => Ok((*low, *high)),
        [Some(_), Some(_)] => Err("the first number must be below the second".to_owned()),
        _ => Err("expected two numbers, as in -0.1,0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn defaults_of_simulate_are_those_of_the_library() {
        let words = "lsmi simulate gauss --n 5 --out a.safetensors";
        let Command::Simulate(simulate) = Arguments::parse_from(words.split(' ')).command else { panic!() };
        assert_eq!(simulate.settings(), Ok(lsmi_core::Settings::default()));
    }

    #[test]
    fn options_of_another_family_are_refused() {
        for (words, expected) in [("xor --noise 1", "--noise"), ("gauss --sigma 2", "--sigma")] {
            let words = format!("lsmi simulate {words} --n 5 --out a.safetensors");
            let Command::Simulate(simulate) = Arguments::parse_from(words.split(' ')).command else { panic!() };
            assert_eq!(simulate.settings(), Err(expected));
        }
    }

    #[test]
    fn negative_numbers_are_values() {
        let words = "lsmi simulate gauss --n 5 --out a.safetensors --correlation -0.3";
        let Command::Simulate(simulate) = Arguments::parse_from(words.split(' ')).command else { panic!() };
        assert_eq!(simulate.correlation, Some(-0.3));
        let words = "lsmi partition a.csv --by s --threshold -0.5,-0.1 --out b";
        let Command::Partition(partition) = Arguments::parse_from(words.split(' ')).command else { panic!() };
        assert_eq!(partition.rule.threshold, Some((-0.5, -0.1)));
    }

    #[test]
    fn thresholds_are_two_ordered_numbers() {
        assert_eq!(two_numbers("-0.1, 0.5"), Ok((-0.1, 0.5)));
        for wrong in ["1", "1,2,3", "2,1", "1,1", "a,b", "nan,1", ""] {
            assert!(two_numbers(wrong).is_err(), "{wrong}");
        }
    }
}
