//! Reads whole arrays from object stores with zarrs.
//!
//! Usage: `zarrs-stores NAME whole URL ROUNDS inflight=N`, where URL is `s3://BUCKET/PATH`, with the server and the
//! keys in the usual variables of the environment, or `http://HOST:PORT/PATH`. Each round prints one JSON line.
//!
//! | NAME | |
//! |---|---|
//! | `zarrs` | the asynchronous API, that many chunks at once; it decodes on one thread |
//! | `zarrs-threads` | the API of threads, that many of them |

#[path = "../../../ceilings/src/arguments.rs"]
mod arguments;
#[path = "../../../ceilings/src/measurement.rs"]
mod measurement;

use std::sync::Arc;

use arguments::Arguments;
use measurement::{Outcome, Rounds};
use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore};
use tokio::runtime::{Handle, Runtime};
use zarrs::array::{Array, ArrayBytes, CodecOptions};
use zarrs::storage::storage_adapter::async_to_sync::{
    AsyncToSyncBlockOn, AsyncToSyncStorageAdapter,
};
use zarrs_object_store::AsyncObjectStore;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Store = AsyncObjectStore<Arc<dyn ObjectStore>>;

struct BlockOn(Handle);

impl AsyncToSyncBlockOn for BlockOn {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

/// The store of a URL, and the path of the array in it.
fn open(url: &str) -> Result<(Arc<Store>, String), Failure> {
    let options = ClientOptions::new().with_allow_http(true);
    let (store, path): (Arc<dyn ObjectStore>, String) = match url.strip_prefix("s3://") {
        Some(rest) => {
            let (bucket, path) = rest.split_once('/').ok_or("expected s3://BUCKET/PATH")?;
            let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
            (Arc::new(builder.with_client_options(options).build()?), format!("/{path}"))
        }
        None => {
            let builder = HttpBuilder::new().with_url(url).with_client_options(options);
            (Arc::new(builder.build()?), "/".to_owned())
        }
    };
    Ok((Arc::new(AsyncObjectStore::new(store)), path))
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let in_flight = arguments.option("inflight", 16)?;
    let url = arguments.data_set.to_str().ok_or("not a URL")?;
    let runtime = Runtime::new()?;
    let (store, path) = open(url)?;
    match arguments.program.as_str() {
        "zarrs" => {
            let array = runtime.block_on(Array::async_open(store, &path))?;
            let options = CodecOptions::default().with_concurrent_target(in_flight);
            let subset = array.subset_all();
            measure(&arguments, element_size(&array)?, || {
                let read = array.async_retrieve_array_subset_opt(&subset, &options);
                Ok(runtime.block_on(read)?)
            })
        }
        "zarrs-threads" => {
            rayon::ThreadPoolBuilder::new().num_threads(in_flight).build_global()?;
            let adapter = AsyncToSyncStorageAdapter::new(store, BlockOn(runtime.handle().clone()));
            let array = Array::open(Arc::new(adapter), &path)?;
            let options = CodecOptions::default().with_concurrent_target(in_flight);
            let subset = array.subset_all();
            measure(&arguments, element_size(&array)?, || {
                Ok(array.retrieve_array_subset_opt(&subset, &options)?)
            })
        }
        name => Err(format!("no program '{name}'").into()),
    }
}

/// Bytes of one element.
fn element_size<S: ?Sized>(array: &Array<S>) -> Result<usize, Failure> {
    Ok(array.data_type().fixed_size().ok_or("elements of no fixed size")?)
}

/// Times reads of the whole array.
fn measure(
    arguments: &Arguments,
    size: usize,
    read: impl Fn() -> Result<ArrayBytes<'static>, Failure>,
) -> Result<(), Failure> {
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let result = read()?;
        let elapsed = running.stop()?;
        let bytes = result.into_fixed()?;
        let (decoded_bytes, checksum) = (bytes.len(), Some(checksum(size, &bytes)));
        rounds.print(&elapsed, &Outcome { decoded_bytes, checksum, ..Outcome::default() })?;
    }
    Ok(())
}

/// Sum of the raw bits of the elements at multiples of 4096 bytes.
fn checksum(size: usize, decoded: &[u8]) -> u64 {
    let bits =
        |page: &[u8]| page[..size].iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
    decoded.chunks(4096).map(bits).sum()
}
