//! Reproducible random numbers: one stream for every named use.
//!
//! A stream depends on the seed and on the name of its use alone, so that a new use elsewhere never changes the numbers
//! that an old one draws. `ChaCha8` gives the same numbers on every machine and in every version.
//!
//! ```
//! use lsmi_core::random::stream;
//! use rand::Rng;
//!
//! let (mut folds, mut again) = (stream(0, "folds"), stream(0, "folds"));
//! assert_eq!(folds.random::<u64>(), again.random::<u64>());
//! ```

use rand::SeedableRng;
pub use rand_chacha::ChaCha8Rng;

/// Returns the stream of random numbers of the use `name` under `seed`.
///
/// Streams of one seed under different names are different streams of one generator, so they never overlap.
///
/// ```
/// use lsmi_core::random::stream;
/// use rand::Rng;
///
/// let draw = |seed, name| stream(seed, name).random::<u64>();
/// assert_eq!(draw(7, "folds"), draw(7, "folds"));
/// assert_ne!(draw(7, "folds"), draw(7, "heads"));
/// assert_ne!(draw(7, "folds"), draw(8, "folds"));
/// ```
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(fnv1a(name.bytes()));
    generator
}

/// Computes the 64-bit FNV-1a hash (Fowler, Noll, Vo), which unlike the standard library's hashes never changes.
///
/// ```
/// assert_eq!(lsmi_core::random::fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
/// ```
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_has_its_published_values() {
        assert_eq!(fnv1a([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(*b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(*b"foobar"), 0x8594_4171_f739_67e8);
    }
}
