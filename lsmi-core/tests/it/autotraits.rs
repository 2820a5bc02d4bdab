//! Every public type can be sent to and shared between threads.

use lsmi_core::{
    Adjusted, Branch, ClassPrior, Decomposition, Draw, Error, Family, FamilyName, IdIndex, Interaction, Kind, Means,
    Measure, Modality, Pass, PriorChoice, Reference, SampleIds, Settings, Subset, SubsetMeans, SubsetTerms, TermMeans,
    Terms,
    families::{Cell, Gate, Gauss, Groups, Mixed, Mixture, RenderedDraw, Rendering, TableName, TableState},
    lattice::{Antichain, Lattice, LatticeColumns, NodeMeans, PointwiseLattice, Redundancy},
    random::ChaCha8Rng,
    shapley::{Shapley, ShapleyColumns},
};

fn has_autotraits<T: Send + Sync + Unpin>() {}

#[test]
fn autotraits() {
    has_autotraits::<Adjusted>();
    has_autotraits::<Antichain>();
    has_autotraits::<Box<dyn Family>>();
    has_autotraits::<Branch>();
    has_autotraits::<Cell>();
    has_autotraits::<ChaCha8Rng>();
    has_autotraits::<ClassPrior>();
    has_autotraits::<Decomposition>();
    has_autotraits::<Draw>();
    has_autotraits::<Error>();
    has_autotraits::<FamilyName>();
    has_autotraits::<Gate>();
    has_autotraits::<Gauss>();
    has_autotraits::<Groups>();
    has_autotraits::<IdIndex<'static>>();
    has_autotraits::<Interaction>();
    has_autotraits::<Kind>();
    has_autotraits::<Lattice<3>>();
    has_autotraits::<LatticeColumns>();
    has_autotraits::<Means>();
    has_autotraits::<Measure>();
    has_autotraits::<Mixed>();
    has_autotraits::<Mixture>();
    has_autotraits::<Modality>();
    has_autotraits::<NodeMeans>();
    has_autotraits::<Pass>();
    has_autotraits::<PointwiseLattice<3>>();
    has_autotraits::<PriorChoice>();
    has_autotraits::<Redundancy>();
    has_autotraits::<Reference>();
    has_autotraits::<RenderedDraw>();
    has_autotraits::<Rendering>();
    has_autotraits::<SampleIds>();
    has_autotraits::<Settings>();
    has_autotraits::<Shapley>();
    has_autotraits::<ShapleyColumns>();
    has_autotraits::<Subset>();
    has_autotraits::<SubsetMeans>();
    has_autotraits::<SubsetTerms>();
    has_autotraits::<TableName>();
    has_autotraits::<TableState>();
    has_autotraits::<TermMeans>();
    has_autotraits::<Terms>();
}
