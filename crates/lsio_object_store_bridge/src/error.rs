//! Why a store could not be set up.

/// An address or an option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A URL that names no store.
    #[error("'{address}' cannot be opened: {reason}")]
    Address {
        /// The URL without what is secret in it.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An option that the store does not have, or whose value it cannot use.
    #[error("the storage option '{option}' cannot be used: {reason}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Data would go unencrypted to another machine.
    #[error("'{address}' is not encrypted: set the storage option 'allowHttp' if that is meant")]
    Unencrypted {
        /// The URL without what is secret in it.
        address: String,
    },
    /// The store's client could not be made of the options and the environment.
    #[error("the store at {location} cannot be set up: {reason}")]
    SetUp {
        /// Where the store is.
        location: String,
        /// What is wrong.
        reason: String,
    },
}
