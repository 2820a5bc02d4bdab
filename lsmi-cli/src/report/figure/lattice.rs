//! The redundancy lattice of three modalities as a Hasse diagram: 18 nodes in layers, joined where one covers another.
//!
//! A node is a disc where its mean is at or above 0 and a square where it is below, of an area that is its share of the largest.

use lsmi_core::lattice::Lattice;

use super::legend::{self, Entry, Swatch, marker};
use super::{Anchor, Drawing, WIDTH};
use crate::tables::cells::nats;

/// The height of a layer.
const LAYER: f64 = 70.0;
/// The radius of the largest node, and of the smallest that is seen.
const LARGEST: f64 = 16.0;
const SMALLEST: f64 = 2.0;
/// From the top of a layer to the middle of its nodes, and from the edge of a node to the foot of its name.
const TO_NODE: f64 = 19.0;
const TO_NAME: f64 = 12.0;
/// The width of a character of a name, about.
const CHARACTER: f64 = 5.6;

/// What is drawn of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Atom {
    pub(crate) name: String,
    /// What it is in words.
    pub(crate) meaning: String,
    pub(crate) value: f64,
}

/// Draws the lattice; atoms are in the order of its nodes.
pub(crate) fn lattice(atoms: &[Atom]) -> Drawing {
    let lattice = Lattice::<3>::new();
    let places = places(&lattice);
    let entry = |place, class: &str, name: &str| Entry {
        swatch: Swatch::Marker(place),
        class: class.to_owned(),
        name: name.to_owned(),
    };
    let entries = [entry(0, "positive", "at or above 0"), entry(1, "negative", "below 0: misled")];
    let layers = places.iter().map(|(_, layer)| layer + 1).max().unwrap_or(0);
    let bottom = LAYER * layers as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + legend::height(&entries, WIDTH - 10.0));
    // The top of the lattice is that of the figure.
    let at = |node: usize| {
        let (x, layer) = places[node];
        (x, LAYER * (layers - 1 - layer) as f64 + TO_NODE)
    };
    for (below, above) in covers(&lattice) {
        drawing.line("axis", at(below), at(above));
    }
    let most = atoms.iter().fold(1e-300_f64, |most, atom| most.max(atom.value.abs()));
    let size = |atom: &Atom| (LARGEST * (atom.value.abs() / most).sqrt()).max(SMALLEST);
    let placed = || atoms.iter().enumerate().take(places.len()).map(|(node, atom)| (at(node), atom));
    for ((x, y), atom) in placed() {
        for (line, text) in [atom.name.clone(), nats(atom.value)].iter().enumerate() {
            // Lines pass behind names, and not through them.
            let width = CHARACTER * text.chars().count() as f64 + 2.0;
            let base = y + size(atom) + TO_NAME + 12.0 * line as f64;
            drawing.rectangle("ground", (x - width / 2.0, base - 10.0), (width, 12.5));
            drawing.text(if line == 0 { "" } else { "faint" }, (x, base), Anchor::Middle, text);
        }
    }
    for ((x, y), atom) in placed() {
        let name = format!("{}: {} nats, {}", atom.name, nats(atom.value), atom.meaning);
        let (class, shape) = if atom.value < 0.0 { ("negative edge", 1) } else { ("positive edge", 0) };
        drawing.named_path(class, &name, &marker(shape, x, y, size(atom)));
    }
    legend::draw(&mut drawing, &entries, (8.0, bottom + 2.0), WIDTH - 10.0);
    drawing
}

/// The nodes that are next to each other: below and above, with none between.
fn covers(lattice: &Lattice<3>) -> Vec<(usize, usize)> {
    let is_below = |a: usize, b: usize| a != b && lattice.is_at_most(a, b);
    let all = || 0..lattice.len();
    let pairs = all().flat_map(|below| all().map(move |above| (below, above)));
    pairs
        .filter(|(below, above)| {
            is_below(*below, *above) && !all().any(|node| is_below(*below, node) && is_below(node, *above))
        })
        .collect()
}

/// The x of every node, and its layer, from the bottom: the steps of the longest way down.
fn places(lattice: &Lattice<3>) -> Vec<(f64, usize)> {
    let mut layer_of: Vec<usize> = Vec::new();
    for node in 0..lattice.len() {
        // Every node comes after all below it.
        let below = (0..node).filter(|below| lattice.is_at_most(*below, node));
        layer_of.push(below.map(|below| layer_of[below] + 1).max().unwrap_or(0));
    }
    let mut places = vec![(0.0, 0); lattice.len()];
    for layer in 0..=layer_of.iter().copied().max().unwrap_or(0) {
        let mut nodes: Vec<usize> = (0..lattice.len()).filter(|node| layer_of[*node] == layer).collect();
        // {12}{13}{23} stands among the single modalities, so that its lines cross fewer others.
        if nodes.len() == 4 {
            nodes.swap(2, 3);
        }
        for (place, node) in nodes.iter().enumerate() {
            places[*node] = (WIDTH * (place as f64 + 0.5) / nodes.len() as f64, layer);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Figure;

    #[test]
    fn eighteen_nodes_stand_apart_in_seven_layers() {
        let lattice = Lattice::<3>::new();
        let places = places(&lattice);
        let sizes: Vec<usize> = (0..7).map(|layer| places.iter().filter(|(_, of)| *of == layer).count()).collect();
        assert_eq!(sizes, [1, 3, 3, 4, 3, 3, 1]);
        for (place, one) in places.iter().enumerate() {
            for other in &places[..place] {
                assert!(one.1 != other.1 || (one.0 - other.0).abs() > 60.0, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn edges_are_the_covering_relations() {
        let lattice = Lattice::<3>::new();
        let covers = covers(&lattice);
        // As drawn by Williams and Beer (2010), figure 2B.
        assert_eq!(covers.len(), 30);
        let names: Vec<String> = lattice.antichains().map(ToString::to_string).collect();
        let above = |name: &str| -> Vec<&str> {
            let of_node = covers.iter().filter(|(below, _)| names[*below] == name);
            of_node.map(|(_, above)| names[*above].as_str()).collect()
        };
        assert_eq!(above("{1}{2}{3}"), ["{1}{2}", "{1}{3}", "{2}{3}"]);
        assert_eq!(above("{1}"), ["{12}{13}"]);
        assert_eq!(above("{12}{13}{23}"), ["{12}{13}", "{12}{23}", "{13}{23}"]);
        assert_eq!(above("{12}"), ["{123}"]);
        // Going up along edges leads to all nodes above, and to no others.
        for node in 0..lattice.len() {
            let mut reached = vec![node];
            let mut next = 0;
            while next < reached.len() {
                for (below, above) in &covers {
                    if *below == reached[next] && !reached.contains(above) {
                        reached.push(*above);
                    }
                }
                next += 1;
            }
            for other in 0..lattice.len() {
                assert_eq!(reached.contains(&other), lattice.is_at_most(node, other), "{node} {other}");
            }
        }
    }

    #[test]
    fn the_drawing_has_all_nodes_and_edges() {
        let names = Lattice::<3>::new();
        let atoms: Vec<Atom> = names
            .antichains()
            .zip(0..)
            .map(|(node, place): (_, i32)| Atom {
                name: node.to_string(),
                meaning: "told <b>".to_owned(),
                value: f64::from(place - 3) / 10.0,
            })
            .collect();
        let drawing = lattice(&atoms);
        let figure = Figure { name: "l".into(), title: "Lattice".into(), description: "All".into(), drawing };
        let text = figure.inline();
        assert_eq!(text.matches(r#"<path class="axis""#).count(), 30);
        // The entry of the legend is one of each.
        assert_eq!(text.matches(r#"class="positive edge""#).count(), 15);
        assert_eq!(text.matches(r#"class="negative edge""#).count(), 3);
        assert_eq!(text.matches("told &lt;b&gt;").count(), 18);
        assert!(!text.contains("NaN") && !text.contains("<b>"));
        // No atom at all is no reason to divide by nothing.
        let none: Vec<Atom> = atoms.iter().map(|atom| Atom { value: 0.0, ..atom.clone() }).collect();
        assert!(!format!("{:?}", lattice(&none)).contains("NaN"));
    }
}
