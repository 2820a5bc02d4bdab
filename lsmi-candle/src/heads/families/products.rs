//! Softmax regression on leading components of all modalities and all products of components of different ones, with a ridge
//! penalty. Of two modalities it is a bilinear rule, `log p(y|x) = a_y + b_y' z1 + c_y' z2 + z1' M_y z2 + constant`; of three
//! it has the products of three as well, which a parity needs. The path is the penalty, falling.

use super::ridge::{hear_path, last_of};
use super::{Classifier, Family, Listener, Problem, Training};
use crate::densities::points::Points;
use crate::error::Result;
use crate::heads::classifiers::ridge::{Linear, Stop, path};
use crate::heads::maps::Products as Map;
use crate::heads::{FeatureMap, View};

/// Penalties, falling.
const PENALTIES: [f64; 5] = [0.3, 0.1, 0.03, 0.01, 1e-3];
/// The most components of each of two modalities: products are as many as the square.
const MOST: usize = 24;
/// The same of three or more, whose products are as many as a higher power.
const MOST_OF_SEVERAL: usize = 8;
/// The most modalities of which products are computed.
pub(super) const MOST_MODALITIES: usize = 3;
/// The least number of rows for every product.
const ROWS_OF_A_PRODUCT: f64 = 2.0;

pub(super) struct Products {
    view: View,
}

impl Products {
    pub(super) fn new(problem: &Problem) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the root of a count")]
        let (affordable, most) = match problem.components.len() {
            2 => ((problem.rows as f64 / ROWS_OF_A_PRODUCT).sqrt() as usize, MOST),
            _ => ((problem.rows as f64 / ROWS_OF_A_PRODUCT).cbrt() as usize, MOST_OF_SEVERAL),
        };
        Self { view: View::Components(affordable.clamp(1, most)) }
    }

    fn map(&self, training: &Training<'_>, values: &[f32]) -> FeatureMap {
        let widths = training.features.widths(self.view);
        let columns: usize = widths.iter().sum();
        let mut squares = vec![0.0f64; columns];
        for row in values.chunks_exact(columns) {
            for (sum, value) in squares.iter_mut().zip(row) {
                *sum += f64::from(*value) * f64::from(*value);
            }
        }
        let rows = training.rows.len() as f64;
        #[expect(clippy::cast_possible_truncation, reason = "models are f32 by design")]
        let deviations =
            squares.into_iter().map(|sum| if sum > 0.0 { (sum / rows).sqrt() as f32 } else { 1.0 }).collect();
        FeatureMap::Products(Map { widths, deviations })
    }

    fn heads(&self, training: &Training<'_>, penalties: &[f64]) -> (FeatureMap, Vec<Linear>) {
        let values = training.features.gather(self.view, training.rows);
        let map = self.map(training, &values);
        let mapped = map.apply(&values);
        let linears = path(&mapped, map.outputs(), training.labels, training.classes, penalties, Stop::default());
        (map, linears)
    }
}

impl Family for Products {
    fn name(&self, setting: usize) -> String {
        format!("softmax of products with ridge {}", PENALTIES[setting])
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let (map, linears) = self.heads(training, &PENALTIES);
        let held_out = map.apply(&training.features.gather(self.view, held_out));
        hear_path(linears, &Points::new(held_out, map.outputs(), training.device)?, listener)
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        let (map, linears) = self.heads(training, &PENALTIES[..=setting]);
        Ok(Classifier { view: self.view, map: Some(map), head: last_of(linears) })
    }
}
