//! Options of `lsmi simulate`.

use std::path::PathBuf;

use clap::Args;
use lsmi_core::{FamilyName, Measure};

use super::Common;

pub(super) const SIMULATE_EXAMPLES: &str = "\
The families: two bits seen through noise, with the label their xor, or, and, the first bit (copy1) or the bit they \
share (rdn); mixed, half xor and half unique to x2; groups, five groups that are redundant, unique to x1, unique to \
x2, synergistic and none of these (the array group says which); gauss, a class mean under correlated noise.

Two files of different --seed come from one distribution, so that one can serve for training and one for evaluation: \
the directions along which the bits show depend on --parameters alone.

Examples:
  lsmi simulate xor --n 4000 --out train.safetensors
  lsmi simulate xor --n 4000 --seed 1 --out eval.safetensors
  lsmi simulate gauss --classes 10 --correlation -0.3 --noise 0.5 --n 4000 --out gauss.safetensors";

/// `lsmi simulate`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Simulate {
    /// Family of densities: xor, or, and, copy1, rdn, mixed, groups or gauss
    pub(crate) family: FamilyName,
    /// Number of samples
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(crate) n: u32,
    /// File for the samples, .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Seed of the directions along which the bits show
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) parameters: u64,
    /// Dimensions of each modality [default: 10; groups: 12; gauss: one per class]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) dims: Option<u32>,
    /// How far a bit moves its modality from the middle (all families but gauss) [default: 3]
    #[arg(long)]
    pub(crate) amplitude: Option<f64>,
    /// Standard deviation of the noise (all families but gauss) [default: 1]
    #[arg(long)]
    pub(crate) sigma: Option<f64>,
    /// Number of classes (gauss) [default: 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) classes: Option<u32>,
    /// Correlation of the two modalities' noise (gauss) [default: 0.5]
    #[arg(long)]
    pub(crate) correlation: Option<f64>,
    /// Standard deviation of the noise (gauss) [default: 0.5]
    #[arg(long)]
    pub(crate) noise: Option<f64>,
    /// Measure of redundancy: pm, sx, mmi, ccs or min
    #[arg(long, default_value = "pm")]
    pub(crate) measure: Measure,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Simulate {
    /// What makes the family out of its name, or the option given that the family does not have.
    pub(crate) fn settings(&self) -> Result<lsmi_core::Settings, &'static str> {
        let is_gauss = self.family == FamilyName::Gauss;
        let foreign = [
            ("--amplitude", is_gauss && self.amplitude.is_some()),
            ("--sigma", is_gauss && self.sigma.is_some()),
            ("--classes", !is_gauss && self.classes.is_some()),
            ("--correlation", !is_gauss && self.correlation.is_some()),
            ("--noise", !is_gauss && self.noise.is_some()),
        ];
        if let Some((option, _)) = foreign.into_iter().find(|(_, is_foreign)| *is_foreign) {
            return Err(option);
        }
        let usual = lsmi_core::Settings::default();
        let classes = self.classes.map_or(usual.classes, |classes| classes as usize);
        let usual_dims = match self.family {
            FamilyName::Gauss => classes,
            FamilyName::Groups => 12,
            _ => usual.dims,
        };
        Ok(lsmi_core::Settings {
            dims: self.dims.map_or(usual_dims, |dims| dims as usize),
            classes,
            amplitude: self.amplitude.unwrap_or(usual.amplitude),
            sigma: self.sigma.unwrap_or(usual.sigma),
            correlation: self.correlation.unwrap_or(usual.correlation),
            noise: self.noise.unwrap_or(usual.noise),
            parameter_seed: self.parameters,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn simulate(words: &str) -> Simulate {
        let words = format!("lsmi simulate {words} --n 5 --out a.safetensors");
        let Command::Simulate(simulate) = Arguments::parse_from(words.split(' ')).command else { panic!() };
        simulate
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        assert_eq!(simulate("gauss").settings(), Ok(lsmi_core::Settings::default()));
    }

    #[test]
    fn options_of_another_family_are_refused() {
        for (words, expected) in [("xor --noise 1", "--noise"), ("gauss --sigma 2", "--sigma")] {
            assert_eq!(simulate(words).settings(), Err(expected));
        }
    }

    #[test]
    fn negative_numbers_are_values() {
        assert_eq!(simulate("gauss --correlation -0.3").correlation, Some(-0.3));
    }
}
