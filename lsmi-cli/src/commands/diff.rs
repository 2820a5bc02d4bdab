//! `lsmi diff`: two analyses held against each other, sample by sample and class by class.

use std::io::Write;
use std::path::Path;

use crate::arguments::effective::{CONFIGURATION, Effective};
use crate::arguments::{Diff as Options, Splits};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{Staging, check_directory};
use crate::report::diff::{DIFF_PAGE, page};
use crate::tables;
use lsmi_candle::analysis::diff::Compared;
use lsmi_candle::analysis::diff::Side;

const DIFFERENCES: &str = "differences.csv";
const REPORT: &str = "diff.json";

pub(super) fn run(arguments: &Options, effective: &Effective) -> Result<(), Failure> {
    let (first, second, common) = (arguments.first.as_path(), arguments.second.as_path(), &arguments.common);
    let split = |place: usize| arguments.split.as_ref().map(|Splits(names)| names[place].as_str());
    let (first, second) = (Side::read(first, split(0))?, Side::read(second, split(1))?);
    if let Some(out) = &arguments.out {
        let inputs = [Path::new(&first.file), Path::new(&second.file)];
        check_directory(out, common.force, &[DIFFERENCES, REPORT, DIFF_PAGE, CONFIGURATION], &inputs)?;
    }
    let compared = Compared::new(&first, &second);
    let diff = compared.diff(common.seed)?;
    if let Some(out) = &arguments.out {
        let mut staging = Staging::default();
        if compared.is_paired() {
            staging.write(&out.join(DIFFERENCES), |file| compared.write_differences(file))?;
        }
        staging.write(&out.join(REPORT), |file| Ok(file.write_all(console::as_json(&diff)?.as_bytes())?))?;
        let page = page(&compared, &diff)?;
        staging.write(&out.join(DIFF_PAGE), |file| Ok(file.write_all(page.as_bytes())?))?;
        staging.write(&out.join(CONFIGURATION), |file| Ok(file.write_all(effective.as_toml().as_bytes())?))?;
        // Differences of an earlier run would be of other samples.
        let stale = if compared.is_paired() { Vec::new() } else { vec![out.join(DIFFERENCES)] };
        staging.commit(&stale)?;
    }
    if !common.quiet {
        console::say(&tables::diff::closing(&diff));
        if let Some(out) = &arguments.out {
            console::say(&format!("\nreport: {}", out.join(DIFF_PAGE).display()));
        }
    }
    if common.json { console::print_json(&diff) } else { Ok(()) }
}
