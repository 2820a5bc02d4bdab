//! Shares of rows by cluster of x1, cluster of x2 and class.

/// p(x1, x2, y) of counted rows.
pub(super) struct Table {
    /// Clusters of x1, clusters of x2, classes.
    shape: [usize; 3],
    /// `[first, second, classes]`
    joint: Vec<f64>,
}

impl Table {
    /// Counts rows; clusters and labels are below the shape.
    pub(super) fn count(first: &[u32], second: &[u32], labels: &[u32], shape: [usize; 3]) -> Self {
        let mut counts = vec![0u64; shape.iter().product()];
        for ((first, second), label) in first.iter().zip(second).zip(labels) {
            counts[(*first as usize * shape[1] + *second as usize) * shape[2] + *label as usize] += 1;
        }
        let joint = counts.into_iter().map(|count| count as f64 / labels.len() as f64).collect();
        Self { shape, joint }
    }

    /// Returns p(x1, y), `[first, classes]`.
    pub(super) fn x1_y(&self) -> Vec<f64> {
        let [first, second, classes] = self.shape;
        self.summed(first * classes, |index| index / classes / second * classes + index % classes)
    }

    /// Returns p(x2, y), `[second, classes]`.
    pub(super) fn x2_y(&self) -> Vec<f64> {
        let [_, second, classes] = self.shape;
        self.summed(second * classes, |index| index / classes % second * classes + index % classes)
    }

    /// Returns I(X1,X2; Y) in nats.
    pub(super) fn information(&self) -> f64 {
        let [first, second, classes] = self.shape;
        let pair_probabilities = self.summed(first * second, |index| index / classes);
        let class_probabilities = self.summed(classes, |index| index % classes);
        let term = |(index, p): (usize, &f64)| {
            p * (p / pair_probabilities[index / classes] / class_probabilities[index % classes]).ln()
        };
        self.joint.iter().enumerate().filter(|(_, p)| **p > 0.0).map(term).sum()
    }

    /// Sums the cells that have the same place.
    fn summed(&self, places: usize, place: impl Fn(usize) -> usize) -> Vec<f64> {
        let mut sums = vec![0.0; places];
        for (index, p) in self.joint.iter().enumerate() {
            sums[place(index)] += p;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marginals_and_information_of_a_small_table() {
        // x1 is y for three rows of four, x2 has one cluster of three.
        let table = Table::count(&[0, 1, 1, 0], &[1, 1, 1, 1], &[0, 1, 1, 1], [2, 3, 2]);
        assert_eq!(table.x1_y(), [0.25, 0.25, 0.0, 0.5]);
        assert_eq!(table.x2_y(), [0.0, 0.0, 0.25, 0.75, 0.0, 0.0]);
        let exact = 0.25 * 2f64.ln() + 0.25 * (2.0 / 3.0_f64).ln() + 0.5 * (4.0 / 3.0_f64).ln();
        assert!((table.information() - exact).abs() < 1e-15);
    }
}
