//! Options of the commands that fit or apply an estimator: `demo`, `analyze`, `fit` and `score`.

use std::path::PathBuf;

use clap::Args;

use super::several::names as names_of_modalities;
use super::{
    Arrays, CheckToo, Common, DataFiles, Estimation, Lagged, Measures, Modalities, Models, NullTest, RareOptions,
    ReportToo, Several, Streaming, TargetOptions,
};
use lsmi_candle::analysis::names::Names;
use lsmi_candle::samples::Format;

pub(super) const DEMO_EXAMPLES: &str = "\
Examples:
  lsmi demo
  lsmi demo --out demo                 also writes report.html, samples.csv, summary.json, estimator.safetensors
  lsmi demo --repeats 5 --null 99      averages five fits; holds the means against permuted labels
  lsmi demo --check                    asks whether the data can support conclusions
  lsmi demo --json --quiet | jq .splits.train.adjusted";

pub(super) const ANALYZE_EXAMPLES: &str = "\
A feature file (.safetensors, .npz, .parquet, .arrow, .csv or .pt) holds x1 [n, d1], x2 [n, d2], y [n] and, if there is \
one, id [n]; with splits: x1_train, x1_test and so on. Instead each may be a file of its own, made by numpy.save: --x1, --x2, \
--y, --id. In tables, x1 is a column of lists or the columns x1_0, x1_1, ...; a column `split` names the splits, and all \
other columns come back in the samples. Rows of the split `train` are scored by models that did not see them, all others \
by all folds' models together.

Of your own models the file may hold the logits: logits1, logits2, logits12 [n, K] (logits1_train and so on), of models \
of x1, of x2 and of both. They take the place of that head; column k is class k of the summary's `classes`. The models \
must not have seen the rows.

--model shows several models side by side: each has a file of logits for the same samples (matched by id, or row by row), \
with the suffix of the split. They take the place of the heads for that model alone; densities are fitted once.

--prior takes one probability a class, in the same order, where the classes' shares in the data are not those of use. \
--knife-from saves fitting densities again, for other heads or another prior; keep --seed, --folds and --repeats.

A file with x3, x4, ... is analysed as that many modalities: every pair as two are, what all of them share, and of three the 18 atoms of the redundancy lattice ({1}{2}{3}, {12}{3} and so on, in the samples too) with Shapley values. --modalities x1,x2 chooses two.
With --target labels, y is [n, L] of 0 and 1 (in tables lists, or the columns y_0, y_1, ...): one decomposition a label, with the \
gauge, folds and densities of all rows. The metadata key `labels` names them. Missing ones (nothing, NaN, -1) are left out \
with --missing drop, of that label alone. The samples have a row for every sample and label, and a column `target`.

--rare pool makes one class of those with fewer training rows than folds (or than --rare-below), and says which.

--ratings gives Pearson's and Spearman's correlations of people's scores with r, the larger of u1 and u2, u1, u2 and s, with \
95 % intervals, over samples and over means of classes, by each measure of --measures. Rows of one id are averaged.

Modalities [n, T, d] are sequences: --pool makes one vector of each, of the steps that an array lengths1, lengths2 or lengths \
[n] counts. With --lags every step is a sample, x1 some steps before x2 and y; each lag is an analysis in OUT/lag-K.

Examples:
  lsmi analyze features.safetensors --out result
  lsmi analyze features.safetensors --repeats 10 --null 199 --out result
  lsmi analyze features.safetensors --measures pm,sx,mmi,ccs,min --out result
  lsmi analyze features.safetensors --check --rows 2000 --out result
  lsmi analyze features.safetensors --prior 0.2,0.5,0.3 --knife-from old.safetensors --out new
  lsmi analyze logits.safetensors --scale-logits --out result
  lsmi analyze train.npz --eval test.npz --out result --format jsonl
  lsmi analyze train.npz --eval test.npz --eval shifted.npz --out result
  lsmi analyze features.npz --ratings people.csv --measures ccs --out result
  lsmi analyze data.npz --model early=early.npz --model late=late.npz --out result
  lsmi analyze tags.npz --target labels --missing drop --rare pool --out result
  lsmi analyze species.npz --rare pool --rare-below 20 --out result
  lsmi analyze clips.npz --pool mean --out result
  lsmi analyze series.npz --lags 0..4 --out result
  lsmi analyze --x1 image.npy --x2 text.npy --y label.npy --out result
  lsmi analyze three.npz --modalities x1,x2,x3 --measure sx --out result
  lsmi analyze ratings.npz --target continuous --out result
  lsmi analyze features.pt --keys image,text,label --names picture,caption --out result";

pub(super) const FIT_EXAMPLES: &str = "\
Examples:
  lsmi fit train.safetensors --out estimator.safetensors
  lsmi fit train.npz --folds 10 --gauge raw --out estimator.safetensors
  lsmi fit train.npz --repeats 5 --prior uniform --out estimator.safetensors
  lsmi fit large.parquet --rows-in-memory 200000 --out estimator.safetensors";

pub(super) const SCORE_EXAMPLES: &str = "\
A file without splits is scored as the split `eval`. Of a file with splits, every split but `train` is scored: values \
of rows that the estimator was fitted on would be far too good; `lsmi analyze` gives honest ones.

With --label-free the file needs no y, and one that is there is not looked at. Every value that depends on the label is \
its expectation under the joint head: E[r] = sum over y of p(y|x1,x2) r(y).

Files of more than 262,144 rows (.safetensors, .npz, .parquet), and any with --shard or --rows-of-a-group, are scored \
from a stream: row groups are read, scored and written one after the other, in memory that does not grow with the rows, \
and the summary has means only. Finished groups are kept in OUT.partial; after an end, whatever its cause, the same \
command goes on from there. The shards of a file, one after the other, are the whole: `lsmi join` puts them together.

Examples:
  lsmi score test.safetensors --estimator estimator.safetensors --out samples.csv
  lsmi score test.npz --estimator result/estimator.safetensors --out samples.jsonl --json
  lsmi score new.npz --estimator e.safetensors --label-free --candidates labels.csv --out new.csv
  lsmi score large.safetensors --estimator e.safetensors --out scores.parquet --threads 8
  lsmi score large.npz --estimator e.safetensors --shard 2/8 --out part-2.csv";

/// `lsmi demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Directory for the files that `analyze` writes; without it only the report is written, to a temporary directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Format of the samples: csv, jsonl or parquet
    #[arg(long, default_value = "csv")]
    pub(crate) format: Format,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "picture,name")]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) null: NullTest,
    #[command(flatten)]
    pub(crate) check: CheckToo,
    #[command(flatten)]
    pub(crate) report: ReportToo,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What `--repeats` says where few rows are fitted three times.
const REPEATS: &str = "Fits with folds and random draws of their own, which are averaged [default: 3 with fewer than 5,000 \
    training rows, else 1]";

/// `lsmi analyze`.
#[derive(Debug, Args)]
#[command(
    mut_arg("x1", |option| option.requires("y")),
    mut_arg("repeats", |option| option.help(REPEATS))
)]
pub(crate) struct Analyze {
    #[command(flatten)]
    pub(crate) data: DataFiles,
    /// Feature file to score as the split `eval` (of one with splits, `test`); may be repeated (`eval2`, `eval3`, ...)
    #[arg(long, value_name = "DATA")]
    pub(crate) eval: Vec<PathBuf>,
    /// Directory for the report, the samples, the summary and the estimator
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Format of the samples: csv, jsonl or parquet
    #[arg(long, default_value = "csv")]
    pub(crate) format: Format,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "x1,x2")]
    pub(crate) names: Names,
    /// What people say of samples or classes, .csv or .jsonl: id (or class) and some of redundancy, uniqueness, uniqueness1,
    /// uniqueness2, synergy
    #[arg(long, value_name = "FILE")]
    pub(crate) ratings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) rare: RareOptions,
    #[command(flatten)]
    pub(crate) several: Several,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) lagged: Lagged,
    #[command(flatten)]
    pub(crate) models: Models,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) null: NullTest,
    #[command(flatten)]
    pub(crate) check: CheckToo,
    #[command(flatten)]
    pub(crate) report: ReportToo,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `lsmi fit`.
#[derive(Debug, Args)]
#[command(
    mut_arg("x1", |option| option.requires("y")),
    mut_arg("repeats", |option| option.help(REPEATS))
)]
pub(crate) struct Fit {
    #[command(flatten)]
    pub(crate) data: DataFiles,
    /// File for the estimator
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Hold N rows in memory at most: gauge and densities are fitted to all, heads to N drawn at random [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rows_in_memory: Option<u64>,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "x1,x2")]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) rare: RareOptions,
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
    #[command(flatten)]
    pub(crate) data: DataFiles,
    /// Estimator saved by `fit` or `analyze`; of several labels, the directory of the analysis
    #[arg(long, value_name = "FILE")]
    pub(crate) estimator: PathBuf,
    /// File for the samples
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Format of the samples: csv, jsonl or parquet [default: by the extension of --out, else csv]
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Score without labels: the expectations of the terms, r, u1, u2 and s over the labels a sample could have
    #[arg(long, conflicts_with = "measures")]
    pub(crate) label_free: bool,
    /// File for one row a sample and label it could have, .csv or .jsonl
    #[arg(long, value_name = "FILE", requires = "label_free")]
    pub(crate) candidates: Option<PathBuf>,
    /// What to call the two modalities
    #[arg(long, value_name = "X1,X2", default_value = "x1,x2")]
    pub(crate) names: Names,
    /// Arrays of the modalities, where there are more than two, in the order of the fit [default: its names]
    #[arg(long, value_name = "X1,X2,X3,...", value_parser = names_of_modalities)]
    pub(crate) modalities: Option<Modalities>,
    #[command(flatten)]
    pub(crate) streaming: Streaming,
    #[command(flatten)]
    pub(crate) measures: Measures,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) common: Common,
}
