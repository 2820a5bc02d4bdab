//! Training, on the host or on a device, as the choice of epochs sees it.

use super::layer::NetworkHead;
use crate::error::Result;

/// A network in training, on the host or on a device.
pub(super) trait Training {
    /// One pass over the rows.
    fn epoch(&mut self) -> Result<()>;

    /// The network of the weights' average so far.
    fn average(&self) -> Result<NetworkHead>;
}
