//! How many bytes an array takes in its store.

use std::sync::Arc;

use lsio_io::{Entry, Key, Memory};

use crate::array::ZarrArray;
use crate::documents::DocumentStore;
use crate::error::ZarrError;

impl ZarrArray {
    /// Bytes of all chunk objects (shards, where chunks are sharded) that are stored and belong to the
    /// array's grid, without metadata. Lists the array's folders; blocks on the store.
    ///
    /// # Errors
    /// [`ZarrError::Storage`] where the array cannot be listed.
    pub fn stored_bytes(&self, memory: &Arc<Memory>) -> Result<u64, ZarrError> {
        let store = DocumentStore::new(Arc::clone(self.storage()), Arc::clone(memory));
        let encoding = &self.metadata().chunk_key_encoding;
        let depth = encoding.folder_depth(self.metadata().shape.len());
        let mut sum = 0u64;
        // Folders still to be listed: their keys, names below the array, and depths.
        let mut folders: Vec<(Key, String, usize)> = vec![(self.path().clone(), String::new(), 0)];
        while let Some((folder, below, level)) = folders.pop() {
            for entry in store.list(&folder)? {
                match entry {
                    Entry::Object(name, len) if self.is_chunk_object(&format!("{below}{name}")) => {
                        sum = sum.saturating_add(len);
                    }
                    Entry::Prefix(name) if level < depth => {
                        let key = store.join(&folder, &name)?;
                        folders.push((key, format!("{below}{name}/"), level + 1));
                    }
                    Entry::Object(..) | Entry::Prefix(_) => {}
                }
            }
        }
        Ok(sum)
    }

    /// Whether an object with this name below the array is a chunk of its grid.
    fn is_chunk_object(&self, name: &str) -> bool {
        let metadata = self.metadata();
        let stored_shape = metadata.shard_shape.as_ref().unwrap_or(&metadata.chunk_shape);
        let chunk = metadata.chunk_key_encoding.decode(name, metadata.shape.len());
        if let Some(grid) = &metadata.stored_grid {
            return chunk.is_some_and(|chunk| grid.check(&chunk).is_ok());
        }
        chunk.is_some_and(|chunk| {
            let extents = metadata.shape.iter().zip(stored_shape);
            chunk.iter().zip(extents).all(|(&c, (&length, &along))| c < length.div_ceil(along))
        })
    }
}
