//! The interface of training on the host and on a device.

use super::layer::NetworkHead;
use crate::error::Result;

/// A network in training, on the host or on a device.
pub(super) trait Training {
    /// Makes one pass over the rows.
    fn epoch(&mut self) -> Result<()>;

    /// Returns the network of the weights' average so far.
    fn average(&self) -> Result<NetworkHead>;
}
