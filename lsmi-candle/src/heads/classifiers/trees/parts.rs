//! Boosted trees as flat arrays, for files, and the check of arrays that come from one.

use std::error::Error;
use std::fmt;

use super::bins::Bins;
use super::grow::Node;

/// The arrays that boosted trees consist of.
///
/// The nodes of all trees follow each other, each node before its children.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TreeParts {
    /// The number of columns.
    pub columns: usize,
    /// The scores before the first round, `[classes]`.
    pub initial: Vec<f32>,
    /// The first node of each tree, rising from 0: `[trees]`.
    pub roots: Vec<u32>,
    /// The column that a node splits, or the number of the leaf: `[nodes]`.
    pub node_columns: Vec<u32>,
    /// Rows whose value in that column is at most this go to the left child: `[nodes]`.
    pub thresholds: Vec<f32>,
    /// The left child, which the right one follows; 0 in a leaf: `[nodes]`.
    pub children: Vec<u32>,
    /// The summands of the scores at the leaves, `[leaves, classes]`, those of earlier trees first.
    pub values: Vec<f32>,
}

/// Decision trees whose leaves sum to the scores of the classes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BoostedTrees {
    /// Arrays that meet the requirements of [`TreeParts`].
    pub(super) parts: TreeParts,
}

/// Arrays that are no boosted trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DamagedTrees(String);

impl fmt::Display for DamagedTrees {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "boosted trees are damaged: {}", self.0)
    }
}

impl Error for DamagedTrees {}

impl TreeParts {
    /// Appends a tree whose leaves are to be appended to the values next.
    pub(super) fn push_tree(&mut self, nodes: &[Node], bins: &Bins) {
        #[expect(clippy::cast_possible_truncation, reason = "what the nodes of 2^32 would need is beyond any memory")]
        let (root, leaf) = (self.children.len() as u32, (self.values.len() / self.initial.len().max(1)) as u32);
        self.roots.push(root);
        for node in nodes {
            if node.child == 0 {
                self.node_columns.push(node.column + leaf);
                self.thresholds.push(0.0);
                self.children.push(0);
            } else {
                self.node_columns.push(node.column);
                self.thresholds.push(bins.edge(node.column as usize, node.bin));
                self.children.push(node.child + root);
            }
        }
    }

    /// Refuses arrays with which a row would not get to a leaf of each tree and there to finite scores.
    fn check(&self) -> Result<(), DamagedTrees> {
        let nodes = self.children.len();
        let require = |is_met: bool, what: &str| if is_met { Ok(()) } else { Err(DamagedTrees(what.to_owned())) };
        require(self.columns > 0 && !self.initial.is_empty(), "there must be columns and classes")?;
        let numbers = [&self.initial, &self.thresholds, &self.values];
        require(numbers.into_iter().flatten().all(|value| value.is_finite()), "all numbers must be finite")?;
        let lengths = [self.node_columns.len(), self.thresholds.len()];
        require(lengths == [nodes; 2] && u32::try_from(nodes).is_ok(), "the arrays of nodes must have one length")?;
        let first = self.roots.first().map_or(nodes, |root| *root as usize);
        require(first == 0, "the first tree must begin at the first node")?;
        require(self.roots.is_sorted_by(|one, next| one < next), "each tree must begin behind the one before it")?;
        let mut first_leaf = 0;
        for (tree, root) in self.roots.iter().enumerate() {
            let (root, end) = (*root as usize, self.roots.get(tree + 1).map_or(nodes, |next| *next as usize));
            let damaged = |what: &str| DamagedTrees(format!("in tree {tree} {what}"));
            let children = self.children.get(root..end).ok_or_else(|| damaged("the nodes must exist"))?;
            let end_leaf = first_leaf + children.iter().filter(|child| **child == 0).count();
            for (node, (child, column)) in (root..).zip(children.iter().zip(&self.node_columns[root..end])) {
                let (child, column) = (*child as usize, *column as usize);
                let (is_right, what) = if child == 0 {
                    ((first_leaf..end_leaf).contains(&column), "a leaf must be one of the tree's own")
                } else if child <= node || child + 1 >= end {
                    (false, "children must follow their parent within the tree")
                } else {
                    (column < self.columns, "a split must be of a column that exists")
                };
                if !is_right {
                    return Err(damaged(what));
                }
            }
            first_leaf = end_leaf;
        }
        let needed = first_leaf.checked_mul(self.initial.len());
        require(needed == Some(self.values.len()), "each leaf must have a number for every class")
    }
}

impl BoostedTrees {
    /// Returns the arrays that the trees consist of.
    pub(crate) fn to_parts(&self) -> TreeParts {
        self.parts.clone()
    }

    /// Trees of arrays that may come from anywhere.
    ///
    /// # Errors
    /// [`DamagedTrees`] where a row could not pass through all trees: indices out of range, children that are not behind
    /// their parent, numbers that are not finite, or lengths that differ.
    pub(crate) fn from_parts(parts: TreeParts) -> Result<Self, DamagedTrees> {
        parts.check()?;
        Ok(Self { parts })
    }
}
