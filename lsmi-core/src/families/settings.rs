//! Settings of the families that are built by name.

use serde::{Deserialize, Serialize};

use super::{Family, FamilyName, Gate, Gauss, Groups, Mixed, directions};
use crate::{
    error::{Error, Result},
    random::stream,
};

/// The settings of a family; each family ignores those that it does not use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The dimension of each modality. 10 by default; `mixed` needs 2, `groups` 6, `gauss` as many as there
    /// are classes.
    pub dims: usize,
    /// The number of classes of `gauss`, at least 2. 10 by default; all other families have 2.
    pub classes: usize,
    /// The distance by which a bit moves its modality from the middle, above 0. 3 by default; not used by `gauss`.
    pub amplitude: f64,
    /// The standard deviation of the noise around a bit, above 0. 1 by default; not used by `gauss`.
    pub sigma: f64,
    /// The correlation between the noises of the modalities of `gauss`, between -1 and 1. 0.5 by default.
    pub correlation: f64,
    /// The standard deviation of the noise of `gauss`, above 0. 0.5 by default.
    pub noise: f64,
    /// The seed of the directions in which bits show, and of nothing else: samples drawn with different seeds from
    /// families of one parameter seed are of one distribution. 0 by default.
    pub parameter_seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { dims: 10, classes: 10, amplitude: 3.0, sigma: 1.0, correlation: 0.5, noise: 0.5, parameter_seed: 0 }
    }
}

impl FamilyName {
    /// Returns the family of this name.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a setting that the family uses is out of its range.
    ///
    /// ```
    /// use lsmi_core::{FamilyName, Settings};
    ///
    /// let family = FamilyName::Gauss.build(&Settings { dims: 12, ..Settings::default() })?;
    /// assert_eq!((family.dims(), family.classes()), ((12, 12), 10));
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn build(self, settings: &Settings) -> Result<Box<dyn Family>> {
        match self {
            Self::Xor => gate(Gate::XOR, settings),
            Self::Or => gate(Gate::OR, settings),
            Self::And => gate(Gate::AND, settings),
            Self::Copy1 => gate(Gate::COPY1, settings),
            Self::Rdn => gate(Gate::RDN, settings),
            Self::Mixed => mixed(settings),
            Self::Groups => groups(settings),
            Self::Gauss => {
                let &Settings { classes, dims, correlation, noise, .. } = settings;
                Ok(Box::new(Gauss::new(classes, dims, correlation, noise)?))
            }
        }
    }
}

fn gate(pmf: [[[f64; 2]; 2]; 2], settings: &Settings) -> Result<Box<dyn Family>> {
    let &Settings { dims, amplitude, sigma, parameter_seed, .. } = settings;
    if dims == 0 {
        return Err(Error::parameter("dims", "at least 1", &dims));
    }
    let mut rng = stream(parameter_seed, "family directions");
    let (w1, w2) = (directions::unit(dims, &mut rng), directions::unit(dims, &mut rng));
    Ok(Box::new(Gate { pmf, w1, w2, amplitude, sigma }.mixture()?))
}

fn mixed(settings: &Settings) -> Result<Box<dyn Family>> {
    let &Settings { dims, amplitude, sigma, parameter_seed, .. } = settings;
    if dims < 2 {
        return Err(Error::parameter("dims", "at least 2 for `mixed`", &dims));
    }
    let mut rng = stream(parameter_seed, "family directions");
    let [w1, v1] = directions::orthonormal(dims, &mut rng);
    let [w2, v2] = directions::orthonormal(dims, &mut rng);
    Ok(Box::new(Mixed { w1, v1, w2, v2, amplitude, sigma }.mixture()?))
}

fn groups(settings: &Settings) -> Result<Box<dyn Family>> {
    let &Settings { dims, amplitude, sigma, parameter_seed, .. } = settings;
    if dims < 6 {
        return Err(Error::parameter("dims", "at least 6 for `groups`", &dims));
    }
    let mut rng = stream(parameter_seed, "family directions");
    let (q1, q2) = (directions::orthonormal(dims, &mut rng), directions::orthonormal(dims, &mut rng));
    Ok(Box::new(Groups::new(&q1, &q2, amplitude, sigma)?))
}
