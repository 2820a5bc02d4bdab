//! `lsmi guide`: what interactions are used for in training.

mod distill;

use crate::arguments::{Guide, GuideAction};
use crate::failure::Failure;

pub(super) fn run(arguments: &Guide) -> Result<(), Failure> {
    match &arguments.action {
        GuideAction::Distill(arguments) => distill::run(arguments),
    }
}
