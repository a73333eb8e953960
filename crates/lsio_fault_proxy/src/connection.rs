//! Listens, and serves each connection until it ends or a fault ends it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::forward::Shared;

/// A listener at a free port of the loopback address.
pub(crate) async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves all connections that come.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // A connection that was gone before it was accepted is none.
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(serve_connection(stream, Arc::clone(&shared)));
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>) {
    let _open = shared.book.accepted();
    // Only the time that a packet takes to leave is at stake.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(Notify::new());
    let service = {
        let reset = Arc::clone(&reset);
        service_fn(move |request| {
            let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
            async move { shared.answer(request, reset).await }
        })
    };
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let is_reset = tokio::select! {
        // An end by a fault is an error to hyper; clients may also leave when they like.
        _ = &mut connection => false,
        () = reset.notified() => true,
    };
    if is_reset {
        let stream = connection.into_parts().io.into_inner();
        // Without it the connection ends by FIN, which clients take for an end of another kind.
        let _ = stream.set_zero_linger();
    }
}
