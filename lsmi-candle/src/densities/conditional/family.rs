//! Families of conditional densities: each is fitted along a path of settings among which unseen rows choose.
//!
//! All but the linear-Gaussian one ([`Ridge`]) are fitted to its residuals, each row left out, in units of their deviation:
//! they have only to learn what a line with constant noise does not tell, on one scale whatever the target's.

use super::columns::Columns;
use super::joint_mixture::JointMixture;
use super::network::{DensityNetwork, NetworkParams, train};
use super::normals::Normals;
use super::ridge::{Fitted, Ridge};
use crate::error::Result;

/// Numbers of training steps among which unseen rows choose.
const STEPS: [usize; 6] = [100, 200, 400, 800, 1600, 3200];
/// Numbers of components of joint mixtures.
const COMPONENTS: [usize; 3] = [2, 4, 8];

/// The densities that are fitted to the residuals of the linear-Gaussian one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    /// A mixture density network.
    Network(NetworkParams),
    /// The conditional of a mixture of normal components over leading features and target.
    JointMixture,
}

/// A fitted density of the residuals.
#[derive(Debug, Clone)]
pub(crate) enum ResidualDensity {
    Network(DensityNetwork),
    JointMixture(JointMixture),
}

/// All families, the simplest first.
pub(crate) const FAMILIES: [Family; 5] = [
    Family::Network(NetworkParams { hidden: &[], components: 1, rate: 5e-3, decay: 0.02 }),
    Family::Network(NetworkParams { hidden: &[], components: 3, rate: 5e-3, decay: 0.02 }),
    Family::Network(NetworkParams { hidden: &[48], components: 3, rate: 5e-3, decay: 0.1 }),
    Family::Network(NetworkParams { hidden: &[48, 48], components: 4, rate: 4e-3, decay: 0.1 }),
    Family::JointMixture,
];

impl Family {
    /// Returns the number of leading principal components of a modality that the family takes at most.
    pub(crate) fn most_columns(self) -> usize {
        match self {
            Self::Network(_) => 128,
            Self::JointMixture => 8,
        }
    }

    /// Returns the number of rows below which the family is not tried.
    pub(crate) fn least_rows(self) -> usize {
        match self {
            Self::Network(NetworkParams { hidden: [], components: 1, .. }) => 50,
            Self::Network(_) | Self::JointMixture => 150,
        }
    }

    /// Returns the name of a setting, for messages.
    pub(crate) fn name(self, setting: usize) -> String {
        match self {
            Self::Network(NetworkParams { hidden, components, .. }) => {
                format!("density network {hidden:?} of {components} components, {} steps", STEPS[setting])
            }
            Self::JointMixture => format!("joint mixture of {} components", COMPONENTS[setting]),
        }
    }

    /// Fits the family along its settings and calls `listener` with the distributions of unseen rows, until it returns
    /// false.
    pub(crate) fn path(
        self,
        rows: &Columns,
        targets: &[f64],
        unseen: &Columns,
        seed: u64,
        listener: &mut dyn FnMut(Normals) -> bool,
    ) -> Result<()> {
        match self {
            Self::Network(params) => {
                train(&rows.values, rows.width, targets, params, seed, &STEPS, &mut |network| {
                    listener(network.predict(&unseen.values))
                });
            }
            Self::JointMixture => {
                for setting in 0..COMPONENTS.len() {
                    let fitted = self.fit(rows, targets, setting, seed)?;
                    if !listener(fitted.predict(&unseen.values)) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Fits the density of a setting.
    pub(crate) fn fit(self, rows: &Columns, targets: &[f64], setting: usize, seed: u64) -> Result<ResidualDensity> {
        Ok(match self {
            Self::Network(params) => {
                let mut last = None;
                let steps = [STEPS[setting]];
                train(&rows.values, rows.width, targets, params, seed, &steps, &mut |network| {
                    last = Some(network.clone());
                    false
                });
                #[expect(clippy::expect_used, reason = "training calls its listener after the only number of steps")]
                let network = last.expect("one call of the listener");
                ResidualDensity::Network(network)
            }
            Self::JointMixture => ResidualDensity::JointMixture(JointMixture::fit(
                &rows.values,
                rows.width,
                targets,
                COMPONENTS[setting],
                seed,
            )?),
        })
    }
}

impl ResidualDensity {
    /// Returns the distributions of the residuals of rows, in units of their deviation.
    pub(crate) fn predict(&self, features: &[f32]) -> Normals {
        match self {
            Self::Network(network) => network.predict(features),
            Self::JointMixture(mixture) => mixture.predict(features),
        }
    }
}

/// Returns the residuals of a fit in units of their deviation.
pub(crate) fn residuals_of(Fitted { ridge, residuals }: &Fitted) -> Vec<f64> {
    residuals.iter().map(|residual| residual / ridge.deviation).collect()
}

/// Returns the distributions of targets from those of their residuals.
pub(crate) fn with_line(ridge: &Ridge, line: &Normals, residuals: Normals) -> Normals {
    residuals.moved(&line.means, ridge.deviation)
}
