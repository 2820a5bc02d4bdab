//! The size of a picture in whole patches: as large as a number of patches allows, in nearly its own aspect
//! (Tschannen et al., SigLIP 2, 2025).

/// How near the scale is found.
const NEAR: f64 = 1e-5;

/// The sides that a picture of these sides is resized to: multiples of `patch`, at least one patch each, and not more
/// than `most` patches together, if that can be. The scale is halved in, so that it is the one that the model's own
/// program finds.
pub(super) fn whole_patches(sides: [usize; 2], patch: usize, most: usize) -> [usize; 2] {
    let (mut low, mut high) = (NEAR / 10.0, 100.0);
    while high - low >= NEAR {
        let middle = f64::midpoint(low, high);
        let [rows, columns] = sides.map(|side| patches(side, middle, patch));
        if rows * columns <= most as f64 {
            low = middle;
        } else {
            high = middle;
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a picture's side, scaled down to few patches"
    )]
    sides.map(|side| patches(side, low, patch) as usize * patch)
}

/// Patches of a side, rounded up.
fn patches(side: usize, scale: f64, patch: usize) -> f64 {
    (side as f64 * scale / patch as f64).ceil().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_patches_as_there_may_be() {
        assert_eq!(whole_patches([480, 640], 16, 256), [224, 288]);
        assert_eq!(whole_patches([64, 64], 16, 256), [256, 256]);
        assert_eq!(whole_patches([1, 9000], 16, 256), [16, 4096]);
        assert_eq!(whole_patches([3, 2], 14, 1), [14, 14]);
    }
}
