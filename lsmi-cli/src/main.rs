//! `lsmi`: how much of what two modalities tell about a label is redundant, unique and synergistic, sample by sample.
//!
//! The command line is in [`arguments`], what each command does in [`commands`]; the mathematics and the models are in
//! the crates `lsmi-core`, `lsmi-candle` and `lsmi-guide`. Data goes to stdout, everything else to stderr.
//! Exit status: 0 done, 1 failed, 2 wrong usage, 3 the data cannot be used, 130 stopped by Ctrl-C.

mod arguments;
mod commands;
mod configuration;
mod diff;
mod discrete;
mod effective;
mod encoders;
mod exact;
mod exemplars;
mod expected;
#[cfg(test)]
mod hostile_files;
mod input;
mod output;
mod process;
mod ratings;
mod report;
mod scored;
mod seed_stats;
mod stream;
mod tables;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use crate::configuration::Stop;
use crate::process::failure::Failure;

fn main() -> ExitCode {
    keep_candle_single_threaded();
    process::interrupt::listen();
    let argv: Vec<OsString> = env::args_os().collect();
    let parsed = match configuration::parse(&argv) {
        Ok(parsed) => parsed,
        Err(Stop::Clap(error)) => {
            // Help goes to stdout, wrong usage to stderr; there is nothing to do if they are closed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        Err(Stop::Configuration(error)) => return Failure::from(error).report(),
    };
    match commands::run(&parsed.arguments.command, &parsed.effective) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Models are fitted in parallel, one thread each; candle must not start threads of its own inside them.
#[expect(unsafe_code, reason = "variables of the environment can be set no other way")]
fn keep_candle_single_threaded() {
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: this is the first thing that the program does, so no other thread reads the environment.
        unsafe { env::set_var(name, "1") };
    }
}
