//! Measures the estimator: every figure of the documentation comes from one of these studies.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure                    # lists the studies
//! cargo run --release -p lsmi-candle --example measure -- accuracy xor
//! ```

#![allow(clippy::print_stdout, reason = "a program for developers, which prints tables")]

mod data;
mod exact;
mod methods;
mod time;

use std::error::Error;

/// A study takes the arguments after its name.
type Study = fn(&[String]) -> Result<(), Box<dyn Error>>;

/// The studies: their names, their arguments and what they measure.
const STUDIES: [(&str, &str, Study); 16] = [
    ("accuracy", "[--published] [FAMILY ...]: samples against exact values", exact::accuracy::run),
    ("coverage", "[SETS [ROWS [REPEATS [FAMILY ...]]]]: how often intervals hold the truth", exact::coverage::run),
    ("null", "[SETS [ROWS [PERMUTATIONS]]]: how often the null rejects where there is nothing", exact::null::run),
    ("planted", "[AMPLITUDE]: kinds of samples by every measure", exact::planted::run),
    ("several", "[ROWS [DIMS [TABLE ...]]] or time: atoms of three modalities", exact::several::run),
    ("heads", "[--seeds N] [--repeats N] FILE ...: information that heads find", exact::heads::run),
    (
        "circuits",
        "[--rows N] [--amplitude A] [--seeds N] [METHOD ...]: known circuits by all methods",
        methods::circuits::run,
    ),
    ("classes", "[--rows N] [--dims D] [CLASSES ...]: all methods by the number of classes", methods::classes::run),
    ("fusion", "[FAMILY or FILE ...] [--out DIR]: what fusion networks learn", methods::fusion::run),
    (
        "rare",
        "[--rows N] [--classes K] [--dims D] [--prototypes]: time and memory of very many classes",
        methods::rare::run,
    ),
    ("shift", "[FAMILY or FILE ...]: scores of shifted data", methods::shift::run),
    ("pid_batch", "[SEED] [FAMILY ...]: PID-Batch against exact means", methods::pid_batch::run),
    ("cost_figure", "[FIGURE [RESULTS]]: table and figure of what `cargo bench` measured", time::cost_figure::run),
    ("knife_likelihood", "[D ...]: time of KNIFE to a held-out likelihood", time::knife_likelihood::run),
    ("knife_throughput", "[D ...]: time of an epoch of KNIFE against plain products", time::knife_throughput::run),
    ("read_time", "FILE: time and memory to read a feature file", time::read_time::run),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((wanted, arguments)) = arguments.split_first() else {
        for (name, summary, _) in STUDIES {
            println!("{name} {summary}");
        }
        return Ok(());
    };
    let Some((_, _, run)) = STUDIES.iter().find(|(name, ..)| name == wanted) else {
        let names = STUDIES.map(|(name, ..)| name).join(", ");
        return Err(format!("there is no study `{wanted}`; the studies: {names}").into());
    };
    run(arguments)
}
