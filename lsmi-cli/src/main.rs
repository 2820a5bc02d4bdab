//! The program `lsmi`: a process around [`lsmi_cli::run`].

use std::env;
use std::process::ExitCode;

#[expect(unsafe_code, reason = "the program sets its environment")]
fn main() -> ExitCode {
    // SAFETY: this is the first thing that the program does, so there is no other thread.
    unsafe { lsmi_cli::own_process() };
    ExitCode::from(lsmi_cli::run(env::args_os()))
}
