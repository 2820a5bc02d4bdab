//! What to do where a file has other arrays than those that are looked for.

use std::collections::BTreeSet;

/// The arrays that `scipy.sparse.save_npz` writes.
const SPARSE: [&str; 4] = ["data", "format", "indices", "indptr"];

/// How to come by the array `name` in a file that has those of these `names` instead.
pub(in crate::features) fn for_missing(file: &str, name: &str, names: &BTreeSet<String>) -> String {
    if SPARSE.iter().all(|array| names.contains(*array)) {
        return format!(
            "it holds one sparse matrix, by scipy.sparse.save_npz; give all arrays in one file: numpy.savez('all.npz', \
             x1=scipy.sparse.load_npz('{}').toarray(), x2=x2, y=y)",
            file.rsplit(['/', '\\']).next().unwrap_or(file)
        );
    }
    if are_data(names) {
        return "the first line of the table holds values, not the names of its columns; write a first line such as \
                x1_0,x1_1,x2_0,y, or name the columns with --keys X1,X2,LABEL"
            .to_owned();
    }
    if let Some(other) = names.iter().find(|other| is_alike(other, name)) {
        return format!(
            "`{other}` differs from it only by blanks or case; rename it, or name it with --keys X1,X2,LABEL"
        );
    }
    "say which to use with --keys X1,X2,LABEL".to_owned()
}

/// Advice about elements in the words of `PyTorch`, whose tensors have no `astype`.
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

/// Whether most names are numbers with a fraction or an exponent, as values are and names are not.
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

    fn advice(names: &[&str]) -> String {
        for_missing("a/tfidf.npz", "x1", &names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
    }

    #[test]
    fn what_is_there_tells_what_to_do() {
        assert!(advice(&["data", "format", "indices", "indptr", "shape"]).contains("load_npz('tfidf.npz').toarray()"));
        assert!(advice(&["-0.5", "0.625", "2"]).contains("the first line of the table holds values"));
        assert!(advice(&["X1", "X2", "Y"]).contains("`X1` differs from it only by blanks or case"));
        assert!(advice(&["0", "1", "2"]).contains("say which to use with --keys"));
        assert!(advice(&[]).contains("--keys"));
    }
}
