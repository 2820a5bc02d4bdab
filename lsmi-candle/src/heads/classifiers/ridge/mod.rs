//! Softmax regression under ridge penalties, from the strongest to the weakest.
//!
//! Of rows `x_i` with labels `y_i` it minimises
//!
//! ```text
//! (1/n) sum_i -log softmax(x_i W + b)[y_i] + (penalty / 2) |W|^2
//! ```
//!
//! by the limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal 1980, Math. Comp. 35, p. 779), each
//! penalty from the optimum of the one before. Columns are centred, so that the free biases hardly depend on the weights,
//! and the inverse Hessian is first taken for a diagonal, `1 / (m_j v_k + penalty)` with the second moment `m_j` of the
//! column and the mean variance `v_k = mean p_k (1 - p_k)` of the class: columns of very different variances, such as
//! principal components, are then equally easy. Logits are linear in a step's length: they and their change lie class by
//! class, and the line search takes no product, only exponentials.

mod linear;
mod problem;
mod search;

pub(in crate::heads) use self::linear::Linear;
use self::problem::Problem;
use self::search::Search;
pub(in crate::heads) use self::search::Stop;

/// Returns the optimum of each penalty; penalties above 0, in falling order.
///
/// A class without rows counts as half a row at the mean. Each search keeps what the one before has learnt of the Hessian,
/// with the difference of the penalties put in. Values that are not finite give weights of 0.
///
/// # Shapes
/// Values `[n, columns]`, row-major, and `n` labels below `classes`.
pub(in crate::heads) fn path(
    values: &[f32],
    columns: usize,
    labels: &[u32],
    classes: usize,
    penalties: &[f64],
    stop: Stop,
) -> Vec<Linear> {
    let problem = Problem::new(values, columns, labels, classes);
    let mut search = Search::new(&problem);
    let optimum = |penalty: &f64| {
        search.descend(*penalty, stop);
        problem.linear(&search.parameters)
    };
    penalties.iter().map(optimum).collect()
}
