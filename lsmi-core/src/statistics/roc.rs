//! The area under the ROC curve: how well a value separates the members of a group from all others.

/// Returns the probability that a random member has a higher value than a random sample that is none, ties counting
/// half.
///
/// That is the area under the receiver operating characteristic curve, and the U of Mann and Whitney, "On a Test of
/// Whether one of Two Random Variables is Stochastically Larger than the Other" (Annals of Mathematical Statistics
/// 18(1), 1947), over the number of pairs. 1 where all members are above all others, one half where the value tells
/// nothing.
///
/// Returns `None` for arrays of different lengths, no members or nothing but members, or a NaN.
///
/// Values tie only if they are equal to the last bit: round values first that vanish to rounding only.
///
/// ```
/// use lsmi_core::statistics::roc_area;
///
/// let is_member = [true, true, false, false];
/// assert_eq!(roc_area(&[4.0, 2.0, 3.0, 1.0], &is_member), Some(0.75));
/// assert_eq!(roc_area(&[1.0, 1.0, 1.0, 1.0], &is_member), Some(0.5));
/// assert_eq!(roc_area(&[1.0, 2.0], &[true, true]), None);
/// ```
pub fn roc_area(values: &[f64], is_member: &[bool]) -> Option<f64> {
    if values.len() != is_member.len() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut rows: Vec<usize> = (0..values.len()).collect();
    // Zero is added so that both zeros are one value.
    let by_value = |a: usize, b: usize| (values[a] + 0.0).total_cmp(&(values[b] + 0.0));
    rows.sort_unstable_by(|&a, &b| by_value(a, b));
    let (mut others_below, mut members, mut pairs) = (0.0, 0.0, 0.0);
    for tied in rows.chunk_by(|&a, &b| by_value(a, b).is_eq()) {
        let inside = tied.iter().filter(|&&row| is_member[row]).count() as f64;
        let outside = tied.len() as f64 - inside;
        pairs += inside * (others_below + outside / 2.0);
        others_below += outside;
        members += inside;
    }
    (members > 0.0 && others_below > 0.0).then(|| pairs / (members * others_below))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn where_there_is_no_area() {
        assert_eq!(roc_area(&[], &[]), None);
        assert_eq!(roc_area(&[1.0, 2.0], &[true]), None);
        assert_eq!(roc_area(&[1.0, 2.0], &[false, false]), None);
        assert_eq!(roc_area(&[1.0, f64::NAN], &[true, false]), None);
    }

    #[test]
    fn infinities_and_both_zeros_are_values() {
        assert_eq!(roc_area(&[f64::INFINITY, 1.0, f64::NEG_INFINITY], &[true, false, false]), Some(1.0));
        assert_eq!(roc_area(&[0.0, -0.0], &[true, false]), Some(0.5));
    }

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs_in_order(rows in prop::collection::vec((0..6_i32, any::<bool>()), 1..40)) {
            let values: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let is_member: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let (mut pairs, mut in_order) = (0.0, 0.0);
            for (member, _) in rows.iter().filter(|row| row.1) {
                for (other, _) in rows.iter().filter(|row| !row.1) {
                    pairs += 1.0;
                    in_order += if member == other { 0.5 } else { f64::from(u8::from(member > other)) };
                }
            }
            let area = roc_area(&values, &is_member);
            prop_assert_eq!(area.is_some(), pairs > 0.0);
            if let Some(area) = area {
                prop_assert!((area - in_order / pairs).abs() < 1e-12);
                let negated: Vec<f64> = values.iter().map(|value| -value).collect();
                let negated_area = roc_area(&negated, &is_member).unwrap();
                prop_assert!((area + negated_area - 1.0).abs() < 1e-12);
            }
        }
    }
}
