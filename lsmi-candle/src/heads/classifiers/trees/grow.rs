//! Growth of one tree: the best split of each node from sums of gradients over bins.
//!
//! A row has gradients `g_c` of the loss, one a channel, a curvature `h` that the channels share, and counts as one. With
//! their sums `G_c`, `H` and `n` over the rows of a node, and the ridge `lambda`, a split into `L` and `R` gains
//!
//! ```text
//! sum_c G_Lc^2 / (H_L + lambda) + G_Rc^2 / (H_R + lambda) - G_c^2 / (H + lambda)
//! ```
//!
//! (Chen, Guestrin 2016, eq. 7, without its factor a half; with several channels Zhang, Jung 2021). Sums over bins
//! are made for the smaller child only: the larger one's are the parent's less those.

use std::ops::Range;

use super::bins::Bins;
use super::params::{LEAST_RIDGE, TreesParams};

/// The sums over rows: gradients, then the curvature, then the number of rows.
pub(super) type Sums<const LANES: usize> = [f32; LANES];

/// The least gain of a split: below lies rounding.
const LEAST_GAIN: f32 = 1e-4;

/// A node of a tree in growth.
pub(super) struct Node {
    /// The column it splits, or the number of the leaf.
    pub(super) column: u32,
    /// The last bin that goes to the left child.
    pub(super) bin: u8,
    /// The left child, which the right one follows; 0 in a leaf.
    pub(super) child: u32,
}

/// Grows trees on sampled rows and columns.
pub(super) struct Grower<'a, const LANES: usize> {
    bins: &'a Bins,
    depth: usize,
    least_rows: f32,
    ridge: f32,
    columns: Vec<u32>,
    /// The first bin of each sampled column in a histogram, followed by the end of the last.
    offsets: Vec<usize>,
    /// The sampled rows and their summands, those of a node in one piece.
    rows: Vec<u32>,
    sums: Vec<Sums<LANES>>,
    right_rows: Vec<u32>,
    right_sums: Vec<Sums<LANES>>,
    spare: Vec<Vec<Sums<LANES>>>,
    nodes: Vec<Node>,
    leaves: Vec<Range<usize>>,
}

/// The best split of a node.
struct Split {
    column: u32,
    bin: u8,
}

impl<'a, const LANES: usize> Grower<'a, LANES> {
    pub(super) fn new(bins: &'a Bins, params: &TreesParams) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "parameters of moderate size")]
        let (least_rows, ridge) = ((params.least_rows as f32).max(1.0), (params.ridge as f32).max(LEAST_RIDGE));
        Self {
            bins,
            depth: params.depth,
            least_rows,
            ridge,
            columns: Vec::new(),
            offsets: Vec::new(),
            rows: Vec::new(),
            sums: Vec::new(),
            right_rows: Vec::new(),
            right_sums: Vec::new(),
            spare: Vec::new(),
            nodes: Vec::new(),
            leaves: Vec::new(),
        }
    }

    /// Sets the columns that the next trees may split.
    pub(super) fn choose_columns(&mut self, columns: Vec<u32>) {
        self.offsets.clear();
        self.offsets.push(0);
        let mut end = 0;
        for column in &columns {
            end += self.bins.count(*column as usize);
            self.offsets.push(end);
        }
        self.columns = columns;
        self.spare.clear();
    }

    /// Grows a tree on rows with their summands; [`Self::nodes`] and [`Self::leaves`] then hold it.
    pub(super) fn grow(&mut self, rows: &[u32], sums: impl Iterator<Item = Sums<LANES>>) {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.sums.clear();
        self.sums.extend(sums);
        self.nodes.clear();
        self.leaves.clear();
        self.nodes.push(Node { column: 0, bin: 0, child: 0 });
        let all = 0..rows.len();
        let histogram = self.may_split(&all, 0).then(|| self.histogram(&all));
        self.divide(0, all, histogram, 0);
    }

    /// Returns the nodes of the tree, each before its children.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the rows of every leaf.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &[u32]> {
        self.leaves.iter().map(|range| &self.rows[range.clone()])
    }

    /// Returns the leaf that a row falls into.
    pub(super) fn leaf_of(&self, row: usize) -> usize {
        let mut node = &self.nodes[0];
        while node.child != 0 {
            let is_right = self.bins.column(node.column as usize)[row] > node.bin;
            node = &self.nodes[node.child as usize + usize::from(is_right)];
        }
        node.column as usize
    }

    fn may_split(&self, range: &Range<usize>, depth: usize) -> bool {
        depth < self.depth && range.len() as f32 >= 2.0 * self.least_rows && !self.columns.is_empty()
    }

    /// Splits a node and the nodes below it for as long as that gains; without a histogram it is a leaf.
    fn divide(&mut self, node: usize, range: Range<usize>, histogram: Option<Vec<Sums<LANES>>>, depth: usize) {
        let Some(mut histogram) = histogram else { return self.close(node, range) };
        let Some(split) = self.best_split(&histogram) else {
            self.spare.push(histogram);
            return self.close(node, range);
        };
        let middle = self.partition(&range, &split);
        let (left, right) = (range.start..middle, middle..range.end);
        let child = self.nodes.len();
        #[expect(clippy::cast_possible_truncation, reason = "a tree has fewer nodes than twice its rows")]
        let child_number = child as u32;
        self.nodes[node] = Node { column: split.column, bin: split.bin, child: child_number };
        self.nodes.push(Node { column: 0, bin: 0, child: 0 });
        self.nodes.push(Node { column: 0, bin: 0, child: 0 });
        let is_left_smaller = left.len() <= right.len();
        let (smaller, larger) = if is_left_smaller { (&left, &right) } else { (&right, &left) };
        let (mut smaller_split, mut larger_split) = (None, None);
        if self.may_split(larger, depth + 1) {
            let counted = self.histogram(smaller);
            for (cell, other) in histogram.iter_mut().zip(&counted) {
                for (sum, other) in cell.iter_mut().zip(other) {
                    *sum -= other;
                }
            }
            larger_split = Some(histogram);
            if self.may_split(smaller, depth + 1) {
                smaller_split = Some(counted);
            } else {
                self.spare.push(counted);
            }
        } else {
            self.spare.push(histogram);
        }
        let (left_split, right_split) =
            if is_left_smaller { (smaller_split, larger_split) } else { (larger_split, smaller_split) };
        self.divide(child, left, left_split, depth + 1);
        self.divide(child + 1, right, right_split, depth + 1);
    }

    fn close(&mut self, node: usize, range: Range<usize>) {
        #[expect(clippy::cast_possible_truncation, reason = "a tree has fewer leaves than rows")]
        let leaf = self.leaves.len() as u32;
        self.nodes[node].column = leaf;
        self.leaves.push(range);
    }

    /// Returns the sums over the rows of a node in every bin of every sampled column.
    fn histogram(&mut self, range: &Range<usize>) -> Vec<Sums<LANES>> {
        let mut histogram = self.spare.pop().unwrap_or_default();
        histogram.clear();
        histogram.resize(self.offsets.last().copied().unwrap_or(0), [0.0; LANES]);
        let (rows, sums) = (&self.rows[range.clone()], &self.sums[range.clone()]);
        for (column, ends) in self.columns.iter().zip(self.offsets.windows(2)) {
            let (bins, cells) = (self.bins.column(*column as usize), &mut histogram[ends[0]..ends[1]]);
            for (row, row_sums) in rows.iter().zip(sums) {
                let cell = &mut cells[usize::from(bins[*row as usize])];
                for (sum, value) in cell.iter_mut().zip(row_sums) {
                    *sum += value;
                }
            }
        }
        histogram
    }

    /// Returns the split that gains most, if any gains enough, with at least [`TreesParams::least_rows`] on either
    /// side.
    fn best_split(&self, histogram: &[Sums<LANES>]) -> Option<Split> {
        let mut total = [0.0; LANES];
        for cell in &histogram[..self.offsets[1]] {
            add(&mut total, cell);
        }
        let mut best_merit = self.merit(&total) + LEAST_GAIN;
        let mut best = None;
        for (place, ends) in self.offsets.windows(2).enumerate() {
            let cells = &histogram[ends[0]..ends[1]];
            let mut left = [0.0; LANES];
            for (bin, cell) in cells[..cells.len() - 1].iter().enumerate() {
                add(&mut left, cell);
                let mut right = total;
                for (sum, other) in right.iter_mut().zip(&left) {
                    *sum -= other;
                }
                if right[LANES - 1] < self.least_rows {
                    break;
                }
                if left[LANES - 1] < self.least_rows {
                    continue;
                }
                let merit = self.merit(&left) + self.merit(&right);
                if merit > best_merit {
                    best_merit = merit;
                    best = Some((place, bin));
                }
            }
        }
        let (place, bin): (usize, usize) = best?;
        // The edge may lie anywhere among empty bins: the middle is the best guess.
        let cells = &histogram[self.offsets[place]..self.offsets[place + 1]];
        let empty = cells[bin + 1..].iter().take_while(|cell| cell[LANES - 1] < 0.5).count();
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 256 bins")]
        let bin = (bin + empty / 2) as u8;
        Some(Split { column: self.columns[place], bin })
    }

    /// Returns `sum_c G_c^2 / (H + lambda)`.
    fn merit(&self, sums: &Sums<LANES>) -> f32 {
        let squares: f32 = sums[..LANES - 2].iter().map(|sum| sum * sum).sum();
        squares / (sums[LANES - 2].max(0.0) + self.ridge)
    }

    /// Moves the rows of the left child before those of the right one, both in their order; returns where these begin.
    fn partition(&mut self, range: &Range<usize>, split: &Split) -> usize {
        let bins = self.bins.column(split.column as usize);
        let (rows, sums) = (&mut self.rows, &mut self.sums);
        self.right_rows.clear();
        self.right_sums.clear();
        let mut end = range.start;
        for place in range.clone() {
            let (row, row_sums) = (rows[place], sums[place]);
            if bins[row as usize] > split.bin {
                self.right_rows.push(row);
                self.right_sums.push(row_sums);
            } else {
                rows[end] = row;
                sums[end] = row_sums;
                end += 1;
            }
        }
        rows[end..range.end].copy_from_slice(&self.right_rows);
        sums[end..range.end].copy_from_slice(&self.right_sums);
        end
    }
}

fn add<const LANES: usize>(sums: &mut Sums<LANES>, others: &Sums<LANES>) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}
