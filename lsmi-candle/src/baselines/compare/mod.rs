//! Estimators of the same four means on the same data: LSMI and the systems it was published against.
//!
//! | method | what it does | of a single sample |
//! |---|---|---|
//! | `lsmi` | the [`estimator`] of this crate, its adjusted means | r, u1, u2, s |
//! | `pid-batch` | [`pid_batch`](crate::baselines::pid_batch): a coupling that networks learn | nothing |
//! | `pid-cvx` | [`pid_cvx`](crate::baselines::pid_cvx): clusters, then the exact decomposition of their joint distribution | nothing |
//!
//! All answer for the same rows: the evaluation rows where there are any, otherwise the training rows. Of the latter LSMI has
//! cross-fitted values, PID-CVX takes all of them for its table, and PID-Batch, which has no cross-fitting, is trained on four
//! fifths of them and evaluated on the last.

mod lsmi;
mod pid_batch;
mod pid_cvx;

use std::fmt;
use std::str::FromStr;

use crossbeam_channel::Sender;
use lsmi_core::Means;
use lsmi_core::discrete::Information;
use lsmi_core::statistics::{Bootstrap, Interval};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::Result;
use crate::estimator::{self, Progress};
use crate::features::{Classes, FeatureSet};

/// A system that estimates R, U1, U2 and S of a data set; read and written as `lsmi`, `pid-batch` and `pid-cvx`.
///
/// ```
/// use lsmi_candle::baselines::compare::Method;
///
/// assert_eq!("pid-cvx".parse(), Ok(Method::PidCvx));
/// assert!("pid".parse::<Method>().unwrap_err().to_string().contains("lsmi, pid-batch, pid-cvx"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The estimator of this crate.
    Lsmi,
    /// A coupling that networks learn (Liang et al. 2023).
    PidBatch,
    /// The exact decomposition of clusters (Liang et al. 2023).
    PidCvx,
}

/// The name of no method.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is no method; use one of lsmi, pid-batch, pid-cvx")]
pub struct UnknownMethod {
    /// The name found.
    pub found: String,
}

/// The data that methods are given.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// Rows to fit to.
    pub train: &'a FeatureSet,
    /// Rows to answer for; none: the training rows.
    pub eval: Option<&'a FeatureSet>,
    /// The classes that the labels of both index.
    pub classes: &'a Classes,
}

/// Settings of all methods. The seed is given with each run.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The settings of LSMI; its device and its number of threads are those of the others, too.
    pub estimator: estimator::Settings,
    /// The settings of PID-Batch. Batches are made smaller if there are fewer rows.
    pub pid_batch: crate::baselines::pid_batch::Params,
    /// The settings of PID-CVX.
    pub pid_cvx: crate::baselines::pid_cvx::Params,
    /// The settings of the intervals that come from resampled rows.
    pub bootstrap: Bootstrap,
}

/// The estimate of a method, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// I(X1;Y), I(X2;Y) and I(X1,X2;Y), as the method has them.
    pub information: Information,
    /// R, U1, U2 and S.
    pub means: Means,
    /// Intervals of the means over other rows: for LSMI and PID-CVX by the bootstrap, with everything that was fitted
    /// as it is; for PID-Batch 1.96 standard errors of the mean over batches. `None` if the method has none.
    pub intervals: Option<[Interval; 4]>,
    /// The number of rows that it answers for.
    pub rows: usize,
    /// The time of the estimate without intervals, in seconds.
    pub seconds: f64,
    /// Notes for the user, in sentences.
    pub notes: Vec<String>,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::Lsmi, Self::PidBatch, Self::PidCvx];

    /// Returns the name: `lsmi`, `pid-batch` or `pid-cvx`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lsmi => "lsmi",
            Self::PidBatch => "pid-batch",
            Self::PidCvx => "pid-cvx",
        }
    }

    /// Runs the method once.
    ///
    /// # Errors
    /// Those of the method, see [`estimator::cross_fit`], [`crate::baselines::pid_batch::decompose`] and
    /// [`crate::baselines::pid_cvx::decompose`].
    pub fn estimate(
        self,
        data: Data<'_>,
        settings: &Settings,
        seed: u64,
        progress: Option<&Sender<Progress>>,
    ) -> Result<Estimate> {
        match self {
            Self::Lsmi => lsmi::estimate(data, settings, seed, progress),
            Self::PidBatch => pid_batch::estimate(data, settings, seed, progress),
            Self::PidCvx => pid_cvx::estimate(data, settings, seed),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> std::result::Result<Self, UnknownMethod> {
        let named = Self::ALL.into_iter().find(|method| method.name() == name);
        named.ok_or_else(|| UnknownMethod { found: name.to_owned() })
    }
}
