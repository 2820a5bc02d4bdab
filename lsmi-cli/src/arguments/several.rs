//! Options of an analysis of more than two modalities.

use clap::Args;

/// Which modalities, and what of more than two.
#[derive(Debug, Args)]
pub(crate) struct Several {
    /// Arrays of the modalities to analyse together, from two to eight [default: x1, x2, x3, ... as far as the file has
    /// them]
    #[arg(long, value_name = "X1,X2,X3,...", value_parser = names)]
    pub(crate) modalities: Option<Modalities>,
    /// Decompose by the redundancy lattice, 18 atoms; three modalities are in any case
    #[arg(long)]
    pub(crate) lattice: bool,
    /// Fit heads of all sets of modalities, for Shapley values of each and interactions of pairs; three modalities have them in
    /// any case, six take 63 heads
    #[arg(long)]
    pub(crate) shapley: bool,
}

/// Names of modalities, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Modalities(Vec<String>);

impl Modalities {
    /// The names, in the order in which they were given.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }
}

pub(super) fn names(text: &str) -> Result<Modalities, String> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if name.is_empty() || names.iter().any(|other| other == name) {
            return Err("name every modality once, as in x1,x2,x3".to_owned());
        }
        names.push(name.to_owned());
    }
    match names.len() {
        2..=8 => Ok(Modalities(names)),
        count => Err(format!("from two to eight modalities can be analysed together, not {count}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modalities_are_named_once_each() {
        assert_eq!(names("image, text,audio").unwrap().names(), ["image", "text", "audio"]);
        for wrong in ["x1", "x1,x1", "x1,,x2", "", "a,b,c,d,e,f,g,h,i"] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }
}
