//! Columns as bins: each value becomes the number of its quantile bin.
//!
//! A split of a tree then only has to be looked for between bins, whose gradients are summed once per node (Ke, Meng,
//! Finley, Wang, Chen, Ma, Ye, Liu 2017, algorithm 1).

/// The number of rows that the edges of a column are computed from; more change them by less than matters to a split.
const MOST_ROWS_OF_EDGES: usize = 20_000;

/// Columns that are read together: the values of one cache line.
const COLUMNS_AT_ONCE: usize = 16;

/// The bins of all values, column by column.
pub(super) struct Bins {
    /// The bin of each value, `[columns, rows]`.
    binned: Vec<u8>,
    rows: usize,
    /// The edges between the bins of each column, rising; a column has one bin more than edges.
    edges: Vec<Vec<f32>>,
}

impl Bins {
    /// Sorts the values `[n, columns]`, row-major, into at most `most` (2 to 256) bins a column.
    pub(super) fn new(values: &[f32], columns: usize, most: usize) -> Self {
        let rows = values.len() / columns.max(1);
        let mut binned = vec![0; rows * columns];
        let mut edges = Vec::with_capacity(columns);
        let step = rows.div_ceil(MOST_ROWS_OF_EDGES).max(1);
        let mut block = vec![0.0; rows * COLUMNS_AT_ONCE.min(columns)];
        let mut sorted = Vec::new();
        for first in (0..columns).step_by(COLUMNS_AT_ONCE) {
            let width = COLUMNS_AT_ONCE.min(columns - first);
            for (row, values) in values.chunks_exact(columns).enumerate() {
                for (column, value) in values[first..first + width].iter().enumerate() {
                    block[column * rows + row] = *value;
                }
            }
            for column in 0..width {
                let values = &block[column * rows..][..rows];
                sorted.clear();
                sorted.extend(values.iter().step_by(step));
                sorted.sort_unstable_by(f32::total_cmp);
                let column_edges = edges_between(&sorted, most.clamp(2, 256));
                let bins = &mut binned[(first + column) * rows..][..rows];
                if !column_edges.is_empty() {
                    for (bin, value) in bins.iter_mut().zip(values) {
                        *bin = bin_of(&column_edges, *value);
                    }
                }
                edges.push(column_edges);
            }
        }
        Self { binned, rows, edges }
    }

    /// Returns the bin of every row in a column.
    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.binned[column * self.rows..][..self.rows]
    }

    /// Returns the number of bins of a column.
    pub(super) fn count(&self, column: usize) -> usize {
        self.edges[column].len() + 1
    }

    /// Returns the largest value in a bin of a column; the last bin has no such value.
    pub(super) fn edge(&self, column: usize, bin: u8) -> f32 {
        self.edges[column][usize::from(bin)]
    }

    /// Returns the columns that have more than one bin.
    pub(super) fn varied(&self) -> Vec<u32> {
        let varied = |(column, edges): (u32, &Vec<f32>)| (!edges.is_empty()).then_some(column);
        (0..).zip(&self.edges).filter_map(varied).collect()
    }
}

/// Returns the number of edges below a value, by halving without branches.
fn bin_of(edges: &[f32], value: f32) -> u8 {
    let (mut below, mut left) = (0, edges.len());
    while left > 0 {
        let half = left.div_ceil(2);
        below += if edges[below + half - 1] < value { half } else { 0 };
        left -= half;
    }
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 255 edges")]
    let bin = below as u8;
    bin
}

/// Returns edges between sorted values that make at most `most` bins of about equal numbers of rows.
///
/// Equal values share a bin. Each bin closes when it holds its share of the rows that the bins before it have left, so that
/// one frequent value takes one bin and not the room of several. An edge lies midway between the neighbouring values.
fn edges_between(sorted: &[f32], most: usize) -> Vec<f32> {
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let mut edges = Vec::with_capacity(distinct.min(most) - 1);
    let mut closed = 0;
    for (position, pair) in sorted.windows(2).enumerate() {
        if pair[0] < pair[1] && edges.len() + 1 < most {
            let (left, bins) = (sorted.len() - closed, most - edges.len());
            let held = position + 1 - closed;
            if distinct <= most || held * bins >= left {
                edges.push(midway(pair[0], pair[1]));
                closed = position + 1;
            }
        }
    }
    edges
}

/// Returns a finite number that is at least `low` and below `high`, in their middle where rounding allows it.
fn midway(low: f32, high: f32) -> f32 {
    let middle = 0.5 * low + 0.5 * high;
    if middle.is_finite() && low <= middle && middle < high { middle } else { low.max(f32::MIN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each() {
        let bins = Bins::new(&[3.0, 7.0, 1.0, 7.0, 3.0, 7.0, 3.0, 7.0], 2, 64);
        assert_eq!(bins.column(0), [1, 0, 1, 1]);
        assert_eq!(bins.edge(0, 0), 2.0);
        assert_eq!(bins.column(1), [0; 4]);
        assert_eq!(bins.varied(), [0]);
    }

    #[test]
    fn many_values_share_bins_of_equal_size() {
        let values: Vec<f32> = (0..1000u16).map(f32::from).collect();
        let bins = Bins::new(&values, 1, 10);
        assert_eq!(bins.count(0), 10);
        for (bin, of_rows) in (0..10).zip(bins.column(0).chunks(100)) {
            assert_eq!(of_rows, [bin; 100]);
        }
    }

    #[test]
    fn a_frequent_value_takes_no_room_from_the_others() {
        let values: Vec<f32> = (0..1000u16).map(|row| f32::from(row.saturating_sub(900))).collect();
        let bins = Bins::new(&values, 1, 11);
        assert_eq!(bins.count(0), 11);
        assert_eq!(bins.column(0)[900], 0);
        assert_eq!(bins.column(0)[999], 10);
    }

    #[test]
    fn the_bin_of_a_value_is_the_number_of_edges_below_it() {
        let edges: Vec<f32> = (0..255u8).map(f32::from).collect();
        for count in [1, 2, 3, 62, 63, 64, 255] {
            for value in [-1.0, 0.0, 0.5, 1.0, 61.0, 61.5, 62.0, 254.0, 254.5, f32::INFINITY] {
                let below = edges[..count].iter().filter(|edge| **edge < value).count();
                assert_eq!(usize::from(bin_of(&edges[..count], value)), below);
            }
        }
    }

    #[test]
    fn edges_part_extreme_neighbours() {
        for (low, high) in
            [(f32::MIN, f32::MAX), (1.0, 1.0f32.next_up()), (f32::NEG_INFINITY, 0.0), (0.0, f32::INFINITY)]
        {
            let edge = midway(low, high);
            assert!(edge.is_finite() && low <= edge && edge < high, "{edge} parts {low} and {high}");
        }
    }
}
