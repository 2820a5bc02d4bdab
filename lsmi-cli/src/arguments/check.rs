//! Options of `lsmi check`, and those that `analyze` and `demo` share with it.

use std::path::PathBuf;

use clap::Args;

use super::{Arrays, Common, DataFiles, Estimation};

pub(super) const CHECK_EXAMPLES: &str = "\
Each gate changes your own features so that the right answer is known, or compares what must agree:
  power         an exclusive or is planted: it must come out as synergy, not as redundancy
  specificity   a modality and its rotated copy: neither synergy nor uniqueness may come out
  split_halves  a modality and itself, half of the columns each: less synergy than the data has
  permutation   x2 shuffled within classes: the joint head must agree with its closed form
  memorisation  heads asked for rows that they were fitted to, and for rows that they were not
  calibration   heads must be right as often as they say
  coverage      evaluation rows must be where training rows are; needs --eval or a second split
A gate that the data has no room for is left out.

Give the options that you analyze with: the verdicts are about them. There are up to seven fits to make, of each of which \
--repeats R makes R. The exit status is 0 when the gates were asked, whatever their verdicts: for a script there is \
`verdict` of --json, the worst of all gates. It is 3 where the data cannot be used at all.

Examples:
  lsmi check features.safetensors
  lsmi check train.npz --eval test.npz --rows 2000
  lsmi check features.safetensors --strength 2 --out gates.json
  lsmi check features.safetensors --json --quiet | jq -r .verdict";

/// `lsmi check`.
#[derive(Debug, Args)]
#[command(
    mut_arg("measures", |option| option.hide(true)),
    mut_arg("x1", |option| option.requires("y"))
)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) data: DataFiles,
    /// Feature file that would be scored (of one with splits, `test`); may be repeated
    #[arg(long, value_name = "DATA")]
    pub(crate) eval: Vec<PathBuf>,
    /// File for the result as JSON; without it nothing is written
    #[arg(long, value_name = "FILE.json")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) gates: Gates,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// How the gates are asked.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Gates {
    /// Strength of the exclusive or that the gate `power` plants, in standard deviations of the features
    #[arg(long, value_name = "S", default_value_t = 3.0, value_parser = strength)]
    pub(crate) strength: f64,
    /// Rows that the gates fit to at most, the classes in proportion
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rows: u32,
}

/// Whether a command asks the gates besides its own work, and how.
#[derive(Debug, Clone, Copy, Args)]
#[command(
    mut_arg("strength", |option| option.requires("check")),
    mut_arg("rows", |option| option.requires("check"))
)]
pub(crate) struct CheckToo {
    /// Also ask whether the data can support conclusions, as `lsmi check` does
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) gates: Gates,
}

fn strength(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(strength) if strength > 0.0 && f64::is_finite(strength) => Ok(strength),
        _ => Err("expected a number above 0, as in 3 or 1.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;
    use lsmi_candle::gates::GateSettings;

    #[test]
    fn defaults_are_those_of_the_library() {
        let Command::Check(check) = Arguments::parse_from(["lsmi", "check", "a.npz"]).command else { panic!() };
        let library = GateSettings::default();
        assert_eq!((check.gates.strength, check.gates.rows as usize), (library.strength, library.rows));
    }

    #[test]
    fn a_strength_is_above_0() {
        assert_eq!(strength("1.5"), Ok(1.5));
        for wrong in ["0", "-1", "nan", "inf", "strong", ""] {
            assert!(strength(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn options_of_gates_need_the_gates() {
        let demo = |words: &str| Arguments::try_parse_from(format!("lsmi demo {words}").trim().split(' '));
        assert!(demo("").is_ok() && demo("--check --strength 2 --rows 100").is_ok());
        for wrong in ["--strength 2", "--rows 100"] {
            assert!(demo(wrong).unwrap_err().to_string().contains("--check"), "{wrong}");
        }
    }
}
