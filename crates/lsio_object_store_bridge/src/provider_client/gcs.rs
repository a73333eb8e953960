//! The client of Google Cloud Storage.

use std::io;
use std::sync::Arc;

use object_store::StaticCredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};

use super::{Made, Plan, client_options, no_retries};
use crate::StoreError;
use crate::failure::innermost_error;
use crate::options::Secret;

impl Plan<'_> {
    pub(super) fn gcs(
        self,
        environment: GoogleCloudStorageBuilder,
        allow_http: bool,
    ) -> Result<Made, StoreError> {
        let Self { address, options, .. } = self;
        let usual = environment.get_config_value(&GoogleConfigKey::BaseUrl);
        let mut builder = match (&options.service_account_key, &options.bearer_token) {
            (Some(_), Some(_)) => {
                let reason = "serviceAccountKey and bearerToken exclude each other".to_owned();
                return Err(StoreError::Option { option: "bearerToken", reason });
            }
            (Some(key), None) => {
                GoogleCloudStorageBuilder::new().with_service_account_key(key.expose())
            }
            (None, token) if token.is_some() || options.anonymous => {
                let bearer = token.as_ref().map_or("", Secret::expose).to_owned();
                let credentials = StaticCredentialProvider::new(GcpCredential { bearer });
                GoogleCloudStorageBuilder::new().with_credentials(Arc::new(credentials))
            }
            _ => {
                let token = environment.get_config_value(&GoogleConfigKey::BearerToken);
                self.check_variables([("GOOGLE_BEARER_TOKEN", token)])?;
                environment
            }
        };
        if options.anonymous {
            builder = builder.with_skip_signature(true);
        }
        let endpoint = options.endpoint.clone().or(usual);
        let endpoint = endpoint.unwrap_or_else(|| "https://storage.googleapis.com".to_owned());
        let base = Self::endpoint(&endpoint, allow_http)?;
        let (connector, server) = self.connector(base.clone(), allow_http, None)?;
        let store = builder
            .with_bucket_name(&address.store)
            .with_base_url(base.as_str().trim_end_matches('/'))
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
    }
}

/// Why the credentials of Google's environment cannot be used. What the parser says may repeat all of a key; what the
/// system says about a file does not.
pub(super) fn unusable_credentials(error: &object_store::Error) -> String {
    let system = innermost_error(error).downcast_ref::<io::Error>();
    let system = system.filter(|error| error.raw_os_error().is_some());
    let system = system.map(|error| format!(" ({error})")).unwrap_or_default();
    format!(
        "the credentials that the environment gives cannot be used{system}: GOOGLE_SERVICE_ACCOUNT_KEY holds a key in \
         JSON; GOOGLE_SERVICE_ACCOUNT, of which only one may be set, and GOOGLE_APPLICATION_CREDENTIALS name files \
         with one"
    )
}
