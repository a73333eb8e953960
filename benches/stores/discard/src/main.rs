//! Gets objects over HTTP, so many at once, and drops the bytes as they come: what the HTTP stack, the connections
//! and the server give at best.
//!
//! Usage: `discard whole LIST ROUNDS inflight=N`. The list is a file with a URL in each line. Each round prints one
//! line of JSON, as all programs of the benchmark do; `decodedBytes` are the bytes of the bodies.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{env, fs};

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [task, list, rounds, in_flight] = &arguments[..] else {
        return Err("usage: discard whole LIST ROUNDS inflight=N".into());
    };
    let in_flight: usize =
        in_flight.strip_prefix("inflight=").ok_or("expected inflight=N")?.parse()?;
    let urls: Arc<[String]> = fs::read_to_string(list)?.lines().map(str::to_owned).collect();
    let client = Client::builder().no_proxy().tcp_nodelay(true).build()?;
    for round in 1..=rounds.parse::<u32>()? {
        let started = Instant::now();
        let bytes = get_all(&client, &urls, in_flight).await?;
        let seconds = started.elapsed().as_secs_f64();
        let line = json!({
            "task": task,
            "round": round,
            "seconds": seconds,
            "decodedBytes": bytes,
            "checksum": null,
        });
        println!("{line}");
    }
    Ok(())
}

/// Gets every object once; each of `in_flight` tasks takes the next that nobody has.
async fn get_all(client: &Client, urls: &Arc<[String]>, in_flight: usize) -> Result<u64, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let (client, urls, next) = (client.clone(), Arc::clone(urls), Arc::clone(&next));
        tasks.spawn(async move {
            let mut bytes = 0;
            while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut answer = client.get(url).send().await?.error_for_status()?;
                while let Some(chunk) = answer.chunk().await? {
                    bytes += chunk.len() as u64;
                }
            }
            Ok::<_, reqwest::Error>(bytes)
        });
    }
    let mut bytes = 0;
    while let Some(task) = tasks.join_next().await {
        bytes += task??;
    }
    Ok(bytes)
}
