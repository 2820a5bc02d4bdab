//! The Python module `lsmi._lsmi`: what the package `lsmi` is made of.
//!
//! Functions take arrays that are NumPy's, in C order, and give arrays, JSON or Arrow back; the Python sources beside this
//! crate, in `python/lsmi`, convert what users have and document what they get. Work runs in threads of its own while
//! Python's lock is released, and Ctrl-C ends it. Errors are those of `lsmi.errors`.

mod analysis;
mod arrays;
mod arrow;
mod background;
mod command;
mod ensemble;
mod error;
mod guide;
mod partition;
mod settings;
mod table;

use pyo3::prelude::*;

#[pymodule]
fn _lsmi(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<table::Table>()?;
    module.add_class::<analysis::Analysis>()?;
    module.add_class::<analysis::Estimator>()?;
    module.add_class::<guide::Guide>()?;
    module.add_class::<ensemble::Ensemble>()?;
    module.add_function(wrap_pyfunction!(partition::partition, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::analyze, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::check, module)?)?;
    module.add_function(wrap_pyfunction!(command::demo, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::columns, module)?)?;
    module.add_function(wrap_pyfunction!(command::run, module)?)
}
