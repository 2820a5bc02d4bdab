//! The command `lsmi` in Python's process.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Runs the command and returns its exit status. The process is the command's from then on, its signals too: nothing else may
/// run in it.
#[pyfunction]
pub(crate) fn run(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| {
        // SAFETY: Python has started no thread of its own that reads the environment, as its entry point does nothing but this.
        #[expect(unsafe_code, reason = "variables of the environment can be set no other way")]
        unsafe {
            lsmi_cli::own_process();
        }
        lsmi_cli::run(arguments)
    })
}

/// The data of `lsmi demo`: a `.safetensors` file, and a table of its rows as CSV.
#[pyfunction]
pub(crate) fn demo(py: Python<'_>) -> (Bound<'_, PyBytes>, Bound<'_, PyBytes>) {
    let [features, table] = lsmi_cli::demo_data();
    (PyBytes::new(py, features), PyBytes::new(py, table))
}
