//! The Python module `lsmi._lsmi`: what the package `lsmi` is made of.
//!
//! Functions take arrays that are NumPy's, in C order, and give arrays, JSON or Arrow back; the Python sources beside this
//! crate, in `python/lsmi`, convert what users have and document what they get. Work runs in threads of its own while
//! Python's lock is released, and Ctrl-C ends it. Errors are those of `lsmi.errors`.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python come by value")]

mod analysis;
mod arrays;
mod arrow;
mod background;
mod command;
mod continuous;
mod encoders;
mod ensemble;
mod error;
mod guide;
mod labels;
mod lags;
mod partition;
mod samples;
mod settings;
mod several;
mod table;

/// The classes and functions that `python/lsmi` builds on.
#[pyo3::pymodule]
mod _lsmi {
    #[pymodule_export]
    use super::analysis::{Analysis, Estimator, analyze, check};
    #[pymodule_export]
    use super::arrow::{Batch, columns};
    #[pymodule_export]
    use super::command::{demo, run};
    #[pymodule_export]
    use super::continuous::{ContinuousAnalysis, analyze_continuous};
    #[pymodule_export]
    use super::encoders::{Encoders, check_encoder_options, find_model};
    #[pymodule_export]
    use super::ensemble::Ensemble;
    #[pymodule_export]
    use super::guide::Guide;
    #[pymodule_export]
    use super::labels::{LabelsAnalysis, analyze_labels};
    #[pymodule_export]
    use super::lags::{LagsAnalysis, analyze_lags};
    #[pymodule_export]
    use super::partition::partition;
    #[pymodule_export]
    use super::samples::SampleTable;
    #[pymodule_export]
    use super::several::{SeveralAnalysis, analyze_several};
    #[pymodule_export]
    use super::table::Table;

    /// The version of the package.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
