//! The stores of an engine: opened again, a store is the same, with its connections and what is known of its host.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use object_store::path::Path;

use crate::address::Account;
use crate::connections::Connections;
use crate::provider_client::Plan;
use crate::stats::Sum;
use crate::{
    Address, Host, Network, ObjectStorage, Provider, Secret, StorageOptions, StoreError, StoreStats,
};

/// Stores that stay open when nobody uses them, so that the next call finds connections.
const KEPT: usize = 8;

/// Hosts from which on those without stores are forgotten.
const KEPT_HOSTS: usize = 64;

/// All stores that somebody uses, on the threads of one [`Network`].
#[derive(Debug, Default)]
pub struct Stores {
    network: Arc<Network>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    stores: HashMap<StoreKey, Weak<ObjectStorage>>,
    /// By their server and how it is asked; with them, their connections.
    hosts: HashMap<(String, StorageOptions), (Arc<Host>, Connections)>,
    recent: VecDeque<Arc<ObjectStorage>>,
    /// What was done with hosts that are forgotten.
    past: Sum,
}

/// What tells one store from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct StoreKey {
    provider: Provider,
    store: String,
    account: Option<Account>,
    query: Option<Secret>,
    options: StorageOptions,
}

impl Stores {
    /// The store of this address. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`StoreError`] for options that cannot be used.
    pub fn open(
        &self,
        address: &Address,
        options: &StorageOptions,
    ) -> Result<Arc<ObjectStorage>, StoreError> {
        options.check(address.provider)?;
        let key = StoreKey {
            provider: address.provider,
            store: address.store.clone(),
            account: address.account.clone(),
            query: address.query.clone().map(Secret::from),
            options: options.clone(),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let storage = if let Some(storage) = open.stores.get(&key).and_then(Weak::upgrade) {
            storage
        } else {
            let storage = Arc::new(self.make(&mut open, address, options)?);
            open.stores.retain(|_, storage| storage.strong_count() > 0);
            open.stores.insert(key, Arc::downgrade(&storage));
            storage
        };
        open.recent.retain(|recent| !Arc::ptr_eq(recent, &storage));
        open.recent.push_front(storage.clone());
        let kept = KEPT.min(open.recent.len());
        let unused = open.recent.split_off(kept);
        drop(open);
        drop(unused);
        Ok(storage)
    }

    fn make(
        &self,
        open: &mut Open,
        address: &Address,
        options: &StorageOptions,
    ) -> Result<ObjectStorage, StoreError> {
        let same = open.hosts.iter().find(|((_, of), _)| of == options);
        let connections = match same {
            Some((_, (_, connections))) => connections.clone(),
            None => Connections::new(options)?,
        };
        open.forget_unused();
        let made = Plan { address, options, connections: &connections }.make()?;
        let host = open.hosts.entry((made.server, options.clone()));
        let (host, _) = host.or_insert_with(|| (Host::new(options.limits()), connections));
        let location = address.location();
        let storage = ObjectStorage::new(&location, made.store, Path::ROOT, host, &self.network);
        Ok(match address.provider {
            Provider::Http => storage.on_a_plain_server(),
            Provider::S3 | Provider::Gcs | Provider::Azure => storage,
        })
    }

    /// What was done so far with all of them.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = open.past.clone();
        for (host, _) in open.hosts.values() {
            host.add_to(&mut sum);
        }
        sum.finish()
    }
}

impl Open {
    /// Forgets hosts that no store is on: whose keys change often has many.
    fn forget_unused(&mut self) {
        if self.hosts.len() < KEPT_HOSTS {
            return;
        }
        let past = &mut self.past;
        self.hosts.retain(|_, (host, _)| {
            let is_used = Arc::strong_count(host) > 1;
            if !is_used {
                host.add_to(past);
            }
            is_used
        });
    }
}
