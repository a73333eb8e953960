//! The control endpoint of the binary: the log and the plan over HTTP.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::forward::Shared;

/// Serves the endpoint.
pub(crate) async fn serve_control(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(control(request, &shared).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn control(request: Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/log") => match serde_json::to_string(&shared.book.log()) {
            Ok(json) => (StatusCode::OK, json),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        (&Method::DELETE, "/log") => {
            shared.book.clear();
            (StatusCode::NO_CONTENT, String::new())
        }
        (&Method::PUT, "/plan") => match set_plan(request, shared).await {
            Ok(()) => (StatusCode::NO_CONTENT, String::new()),
            Err(reason) => (StatusCode::BAD_REQUEST, reason),
        },
        _ => (StatusCode::NOT_FOUND, "GET /log, DELETE /log or PUT /plan".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}

async fn set_plan(request: Request<Incoming>, shared: &Shared) -> Result<(), String> {
    let body = request.into_body().collect().await.map_err(|error| error.to_string())?;
    let plan = serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())?;
    shared.set_plan(plan);
    Ok(())
}
