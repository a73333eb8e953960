//! The head of an answer, from whichever of two requests brings it first: one that is late gets a second one.

use std::pin::pin;
use std::time::Instant;

use futures_util::future::{Either, select};
use object_store::{GetOptions, GetResult};
use tokio::time::sleep;

use crate::failure::Failure;
use crate::fetch::{Fetch, Turn};

/// An answer that has begun, and the request that it is to.
pub(crate) type Head = (Turn, GetResult);

impl Fetch {
    /// Makes a request for about so many bytes, until its answer begins. If it is late by what is known of the host, the
    /// same is asked for a second time. Only one of the two is left when this returns: the other is dropped, and over
    /// HTTP/1 its connection with it.
    pub(crate) async fn head(
        &self,
        turn: Turn,
        bytes: u64,
        options: GetOptions,
    ) -> Result<Head, Failure> {
        if !self.host.hedge {
            return self.ask(turn, options).await;
        }
        let began = turn.began;
        let first = pin!(self.ask(turn, options.clone()));
        let (turn, first) = match select(first, pin!(self.second(began, bytes))).await {
            Either::Left((answer, _)) => return answer,
            Either::Right(second) => second,
        };
        match select(first, pin!(self.ask(turn, options))).await {
            // What may pass is no answer while there may be one of the other.
            Either::Left((Err(failure), second)) if failure.may_pass() => second.await,
            Either::Right((Err(failure), first)) if failure.may_pass() => first.await,
            Either::Left((answer, _)) => answer,
            Either::Right((answer, _)) => {
                self.host.waited(began.elapsed());
                answer
            }
        }
    }

    async fn ask(&self, mut turn: Turn, options: GetOptions) -> Result<Head, Failure> {
        match self.store.get_opts(&self.path, options).await {
            Ok(result) => Ok((turn, result)),
            Err(error) => Err(turn.failed(error)),
        }
    }

    /// Waits until there may be a second request beside one that began then.
    async fn second(&self, first_began: Instant, bytes: u64) -> Turn {
        loop {
            match self.host.second(first_began.elapsed(), bytes) {
                Ok(permit) => {
                    self.host.counters.hedge();
                    self.asked.hedge();
                    return Turn { permit, began: Instant::now() };
                }
                Err(look) => sleep(look).await,
            }
        }
    }
}
