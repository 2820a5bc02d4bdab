//! Advice for files that have other arrays than those looked for.

use std::collections::BTreeSet;

/// The arrays that `scipy.sparse.save_npz` writes.
const SPARSE: [&str; 4] = ["data", "format", "indices", "indptr"];

/// Says how to come by the array `name` in a file that has arrays of these `names` instead, and whether it can be named.
pub(in crate::features) fn for_missing(file: &str, name: &str, names: &BTreeSet<String>) -> (String, bool) {
    if SPARSE.iter().all(|array| names.contains(*array)) {
        let advice = format!(
            "it holds one sparse matrix, by scipy.sparse.save_npz; give all arrays in one file: numpy.savez('all.npz', \
             x1=scipy.sparse.load_npz('{}').toarray(), x2=x2, y=y)",
            file.rsplit(['/', '\\']).next().unwrap_or(file)
        );
        return (advice, false);
    }
    if are_data(names) {
        let advice = "the first line of the table holds values, not the names of its columns; write a first line such as \
                      x1_0,x1_1,x2_0,y, or say which columns to use";
        return (advice.to_owned(), true);
    }
    if let Some(other) = names.iter().find(|other| is_alike(other, name)) {
        return (format!("`{other}` differs from it only by blanks or case; rename it, or say that it is meant"), true);
    }
    ("say which to use".to_owned(), true)
}

/// Puts advice about elements into the words of `PyTorch`, whose tensors have no `astype`.
pub(in crate::features) fn in_torch(advice: &str) -> Option<String> {
    let torch = if advice.starts_with("labels must be integers") {
        "labels must be integers or strings: torch.as_tensor(y).long() for class numbers, y.argmax(1) for one-hot rows, bins for a \
         continuous target"
    } else if advice.starts_with("features must be numbers") {
        "features must be numbers; convert them, e.g. torch.as_tensor(x).float()"
    } else if advice.starts_with("ids must be integers") {
        "ids must be integers or strings: torch.as_tensor(id).long() for numbers"
    } else {
        return None;
    };
    Some(torch.to_owned())
}

/// Returns whether most names are numbers with a fraction or an exponent, as values are and names are not.
fn are_data(names: &BTreeSet<String>) -> bool {
    let is_value = |name: &&String| name.contains('.') && name.parse::<f64>().is_ok();
    let values = names.iter().filter(is_value).count();
    values > 1 && values * 2 >= names.len()
}

fn is_alike(one: &str, other: &str) -> bool {
    one != other && one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::for_missing;
    use std::collections::BTreeSet;

    fn advice(names: &[&str]) -> (String, bool) {
        for_missing("a/tfidf.npz", "x1", &names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
    }

    #[test]
    fn what_is_there_tells_what_to_do() {
        let (sparse, can_be_named) = advice(&["data", "format", "indices", "indptr", "shape"]);
        assert!(sparse.contains("load_npz('tfidf.npz').toarray()") && !can_be_named);
        for (names, expected) in [
            (&["-0.5", "0.625", "2"][..], "the first line of the table holds values"),
            (&["X1", "X2", "Y"], "`X1` differs from it only by blanks or case"),
            (&["0", "1", "2"], "say which to use"),
            (&[], "say which to use"),
        ] {
            let (found, can_be_named) = advice(names);
            assert!(found.contains(expected) && can_be_named, "{found}");
        }
    }
}
