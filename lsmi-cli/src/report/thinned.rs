//! Fewer rows than there are, for figures that shall stay small.

/// 2^64 times the fractional part of the golden ratio, whose multiples are spread evenly and repeat nowhere.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// At most `most` of `rows` rows, spread over all of them: one of each of as many blocks.
///
/// Which one of its block is taken moves on from block to block, so that data with a period, such as classes in turn, are
/// thinned alike.
pub(crate) fn thinned(rows: usize, most: usize) -> Vec<usize> {
    if rows <= most {
        return (0..rows).collect();
    }
    let start = |block: usize| share_of(rows, block as u128, most as u128);
    let one_of = |block: usize| {
        let (begin, end) = (start(block), start(block + 1));
        let fraction = (block as u64).wrapping_mul(GOLDEN);
        begin + share_of(end - begin, fraction.into(), 1 << 64)
    };
    (0..most).map(one_of).collect()
}

/// `whole * part / of`, rounded down; `part` is at most `of`.
fn share_of(whole: usize, part: u128, of: u128) -> usize {
    usize::try_from(whole as u128 * part / of).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_stay() {
        assert_eq!(thinned(3, 5), [0, 1, 2]);
        assert!(thinned(0, 5).is_empty());
    }

    #[test]
    fn many_rows_are_thinned_evenly() {
        let rows = thinned(1_000_000, 2000);
        assert_eq!(rows.len(), 2000);
        assert!(rows.is_sorted() && rows[1999] < 1_000_000);
        // Classes that take turns keep their shares: the multiples of the golden ratio miss them by few samples.
        for classes in [2, 5, 10] {
            for class in 0..classes {
                let share = rows.iter().filter(|row| *row % classes == class).count() * classes;
                assert!((1900..=2100).contains(&share), "{class} of {classes}: {share}");
            }
        }
    }
}
