//! Conditional densities p(y|x) of a continuous target.
//!
//! Several families compete: a line with constant noise ([`ridge`], exact for jointly Gaussian data), mixture density networks
//! with and without hidden units ([`network`]), which know noise that depends on the features and several modes, and the
//! conditional of a mixture over features and target ([`joint_mixture`]). All give a mixture of normal distributions for
//! every row ([`normals`]). Inner cross-fitting chooses among their settings and pools them ([`contest`], [`pool`]); p(y) is
//! KNIFE's ([`marginal`]). Targets are standardised; densities are those of the standardised target.

mod columns;
mod contest;
mod family;
mod joint_mixture;
mod marginal;
mod network;
mod normals;
mod pool;
mod ridge;

pub(crate) use columns::{Columns, Given, Scales};
pub(crate) use contest::{Contest, Outcome, Plan};
pub(crate) use family::ResidualDensity;
pub(crate) use joint_mixture::JointMixture;
pub(crate) use marginal::Marginal;
pub(crate) use network::DensityNetwork;
pub(crate) use normals::Predicted;
pub(crate) use pool::{DensityPool, MOST_COLUMNS_OF_A_LINE, Member};
pub(crate) use ridge::Ridge;
