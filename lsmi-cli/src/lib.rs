//! The command `lsmi` as a function: arguments, tables, the report and the process.
//!
//! [`run`] does what the command does. It takes over neither signals nor the environment unless [`own_process`] is called
//! first, as the program `lsmi` does. [`report`] makes the page of an analysis that is in memory.
//!
//! What commands compute is in the crates `lsmi-core`, `lsmi-candle` and `lsmi-guide`. Results go to stdout, everything else
//! to stderr. Exit status: 0 done, 1 failed, 2 wrong usage, 3 the data cannot be used, 130 stopped by Ctrl-C.

mod arguments;
mod commands;
mod discrete;
#[cfg(test)]
mod hostile_files;
mod output;
mod process;
mod report;
mod tables;

use std::env;
use std::ffi::OsString;

use lsmi_candle::analysis::Analysis;

use crate::arguments::configuration::Stop;
use crate::process::failure::Failure;

/// Runs the command line `arguments`, program name first, and returns the exit status.
///
/// ```
/// assert_eq!(lsmi_cli::run(["lsmi", "simulate", "no-such-family"]), 2);
/// ```
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> u8 {
    let argv: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let parsed = match arguments::configuration::parse(&argv) {
        Ok(parsed) => parsed,
        Err(Stop::Clap(error)) => {
            // Help goes to stdout, wrong usage to stderr; there is nothing to do if they are closed.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
        Err(Stop::Configuration(error)) => return Failure::from(error).report(),
    };
    match commands::run(&parsed.arguments.command, &parsed.effective) {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    }
}

/// Makes the page `report.html` of an analysis: one offline file with its figures.
///
/// # Errors
/// A message where a figure or the template fails, which no analysis makes happen.
pub fn report(analysis: &Analysis) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    report::Report::of_analysis(analysis).map(report::Report::html).map_err(|failure| failure.message().into())
}

/// Returns the data of `lsmi demo`: features of emoji as a `.safetensors` file, and the table that names its rows as CSV.
///
/// ```
/// let [features, table] = lsmi_cli::demo_data();
/// assert!(features.len() > table.len() && table.starts_with(b"id,"));
/// ```
pub fn demo_data() -> [&'static [u8]; 2] {
    commands::DEMO_DATA
}

/// Lets the command own the process: Ctrl-C and SIGTERM remove unfinished output and end it, and candle starts no threads of
/// its own inside models that are fitted in parallel.
///
/// # Safety
/// Sets variables of the environment, so no other thread may read them meanwhile: call it first in `main`.
#[expect(unsafe_code, reason = "variables of the environment can be set no other way")]
pub unsafe fn own_process() {
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: the caller promises that no other thread reads the environment.
        unsafe { env::set_var(name, "1") };
    }
    process::interrupt::listen();
}
