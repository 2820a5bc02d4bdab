//! A pass of a mixture over rows, block by block.
//!
//! On the CPU a block's squared distances are one or a few matrix products with the elementwise work fused around them; on
//! other devices they are tensor operations on all rows at once. The rest is the same.

use std::ops::Range;

use candle_core::Result as CandleResult;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};

use super::kernels::{
    BLOCK, Lanes, normal_joint, normalise, scaled_squared_distances, squared_distances, student_joint, student_weights,
    sum_squares, transpose,
};
use super::low_rank::Scratch;
use super::statistics::Statistics;
use super::{Covariance, Mixture, device};
use crate::densities::points::Points;
use crate::numbers::simd_math::vectorised;

/// A pass of a mixture over rows. All memory that it writes to is allocated once.
pub(crate) struct Pass<'a> {
    mixture: &'a Mixture,
    points: &'a Points,
    /// Squared distances of all rows, `[n, K]`, where a device computed them.
    device_distances: Option<Vec<f32>>,
    rows: Range<usize>,
    /// Rows in some coordinates, `[d][BLOCK]`.
    block: Vec<Lanes<f32>>,
    /// Rows centred, `[BLOCK, d]`.
    centred: Vec<f32>,
    /// The last rows, filled up with zeros to a block, `[BLOCK, d]`.
    padded: Vec<f32>,
    /// Rows in the coordinates of components of low rank.
    explained: Option<Scratch>,
    /// Squared distances, then the weights of rows in moments, `[K][BLOCK]`.
    distances: Vec<Lanes<f32>>,
    /// `log w_k + log p(x|k)`, `[K][BLOCK]`, to which other evidence on a row may be added.
    pub(crate) joint: Vec<Lanes<f64>>,
    /// `[K][BLOCK]`; 0 beyond the block's rows.
    pub(crate) responsibilities: Vec<Lanes<f32>>,
    log_densities: Lanes<f64>,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(mixture: &'a Mixture, points: &'a Points) -> CandleResult<Self> {
        let (components, dims) = (mixture.components(), mixture.dims());
        if points.columns() != dims {
            candle_core::bail!("mixture of {dims} dimensions: found rows of {} columns", points.columns());
        }
        let device_distances = points.on_device().map(|rows| device::squared_distances(mixture, rows)).transpose()?;
        Ok(Self {
            mixture,
            points,
            device_distances,
            rows: 0..0,
            block: vec![[0.0; BLOCK]; dims],
            centred: vec![0.0; dims * BLOCK],
            padded: Vec::new(),
            explained: None,
            distances: vec![[0.0; BLOCK]; components],
            joint: vec![[0.0; BLOCK]; components],
            responsibilities: vec![[0.0; BLOCK]; components],
            log_densities: [0.0; BLOCK],
        })
    }

    /// Goes on to the next block and computes its joint densities; its rows, none after the last.
    pub(crate) fn next(&mut self) -> Option<Range<usize>> {
        let start = self.rows.end;
        if start == self.points.rows() {
            return None;
        }
        self.rows = start..self.points.rows().min(start + BLOCK);
        match &self.device_distances {
            Some(distances) => {
                let components = self.mixture.components();
                let rows = &distances[start * components..self.rows.end * components];
                transpose(rows, components, &mut self.distances);
            }
            None => self.measure(),
        }
        let (constants, dims) = (&self.mixture.log_constants, self.mixture.dims());
        vectorised(
            #[inline(always)]
            || match self.mixture.shape.freedom {
                None => normal_joint(&self.distances, constants, &mut self.joint),
                Some(freedom) => student_joint(&self.distances, constants, freedom, dims, &mut self.joint),
            },
        );
        Some(self.rows.clone())
    }

    /// Turns joint densities into responsibilities; the log densities of the block's rows.
    pub(crate) fn normalise(&mut self) -> &[f64] {
        let count = self.rows.len();
        vectorised(
            #[inline(always)]
            || normalise(&self.joint, &mut self.responsibilities, &mut self.log_densities),
        );
        if count < BLOCK {
            for shares in &mut self.responsibilities {
                shares[count..].fill(0.0);
            }
        }
        &self.log_densities[..count]
    }

    /// Adds the block's rows to statistics; rows far out weigh less where tails are heavy.
    pub(super) fn add_to(&mut self, statistics: &mut Statistics) {
        let columns = self.points.columns();
        let values = &self.points.values()[self.rows.start * columns..self.rows.end * columns];
        let Some(freedom) = self.mixture.shape.freedom else {
            return statistics.add(values, &self.responsibilities, &self.responsibilities);
        };
        let dims = self.mixture.dims();
        vectorised(
            #[inline(always)]
            || student_weights(&mut self.distances, &self.responsibilities, freedom, dims),
        );
        statistics.add(values, &self.responsibilities, &self.distances);
    }

    /// Computes the squared distances of the block's rows.
    fn measure(&mut self) {
        let Mixture { shape, means, factors, derived, .. } = self.mixture;
        let dims = self.mixture.dims();
        let mut rows = &self.points.values()[self.rows.start * dims..self.rows.end * dims];
        // Products of fewer rows are summed in another order: filled up, a row has the same distances in any block.
        if self.rows.len() < BLOCK {
            self.padded.clear();
            self.padded.extend_from_slice(rows);
            self.padded.resize(BLOCK * dims, 0.0);
            rows = &self.padded;
        }
        match shape.covariance {
            Covariance::Diagonal => vectorised(
                #[inline(always)]
                || {
                    transpose(rows, dims, &mut self.block);
                    let components = means.chunks_exact(dims).zip(factors.chunks_exact(dims));
                    for ((mean, scales), distances) in components.zip(&mut self.distances) {
                        scaled_squared_distances(&self.block, mean, scales, distances);
                    }
                },
            ),
            Covariance::Tied => {
                project_block(factors, rows, dims, &mut self.block);
                vectorised(
                    #[inline(always)]
                    || squared_distances(&self.block, derived, &mut self.distances),
                );
            }
            Covariance::Full => {
                let components = means.chunks_exact(dims).zip(factors.chunks_exact(dims * dims));
                for ((mean, factor), distances) in components.zip(&mut self.distances) {
                    vectorised(
                        #[inline(always)]
                        || {
                            for (centred, row) in self.centred.chunks_exact_mut(dims).zip(rows.chunks_exact(dims)) {
                                for ((centred, value), mean) in centred.iter_mut().zip(row).zip(mean) {
                                    *centred = value - mean;
                                }
                            }
                        },
                    );
                    project_block(factor, &self.centred, dims, &mut self.block);
                    vectorised(
                        #[inline(always)]
                        || sum_squares(&self.block, distances),
                    );
                }
            }
            Covariance::LowRank(rank) => {
                let scratch = self.explained.get_or_insert_with(|| Scratch::new(dims, rank));
                for (component, distances) in self.distances.iter_mut().enumerate() {
                    self.mixture.low_rank(component, rank).squared_distances(rows, scratch, distances);
                }
            }
        }
    }
}

/// Returns `W m_k`, `[K, d]`, of means `[K, d]`.
pub(super) fn project_centres(factor: &[f32], means: &[f32], dims: usize) -> Vec<f32> {
    let mut centres = vec![0.0; means.len()];
    let into = MatMut::from_row_major_slice_mut(&mut centres, means.len() / dims, dims).transpose_mut();
    project(factor, means, dims, into);
    centres
}

/// Computes `W x` of rows `[BLOCK, dims]`, as a block.
fn project_block(factor: &[f32], rows: &[f32], dims: usize, block: &mut [Lanes<f32>]) {
    project(factor, rows, dims, MatMut::from_row_major_slice_mut(block.as_flattened_mut(), dims, BLOCK));
}

/// Computes `W x`, `[dims, n]`, of rows `[n, dims]`.
fn project(factor: &[f32], rows: &[f32], dims: usize, into: MatMut<'_, f32>) {
    triangular::matmul(
        into,
        BlockStructure::Rectangular,
        Accum::Replace,
        MatRef::from_row_major_slice(factor, dims, dims),
        BlockStructure::TriangularLower,
        MatRef::from_row_major_slice(rows, rows.len() / dims, dims).transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}
