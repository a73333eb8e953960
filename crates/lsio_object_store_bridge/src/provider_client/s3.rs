//! The client of S3.

use std::sync::Arc;

use object_store::StaticCredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};

use super::{Made, Plan, client_options, no_retries};
use crate::StoreError;
use crate::options::Secret;

impl Plan<'_> {
    pub(super) fn s3(
        self,
        environment: AmazonS3Builder,
        allow_http: bool,
    ) -> Result<Made, StoreError> {
        let Self { address, options, .. } = self;
        let mut builder = environment.with_bucket_name(&address.store);
        if let Some(region) = &options.region {
            builder = builder.with_region(region);
        }
        match (&options.access_key_id, &options.secret_access_key) {
            (Some(key_id), Some(secret)) => {
                let credential = AwsCredential {
                    key_id: key_id.clone(),
                    secret_key: secret.expose().to_owned(),
                    token: options.session_token.as_ref().map(Secret::expose).map(str::to_owned),
                };
                let credentials = StaticCredentialProvider::new(credential);
                // The environment may say that nothing is signed.
                builder = builder
                    .with_credentials(Arc::new(credentials))
                    .with_skip_signature(options.anonymous);
            }
            (None, None) if options.session_token.is_none() => {
                let value = |key| builder.get_config_value(&key);
                self.check_variables([
                    ("AWS_ACCESS_KEY_ID", value(AmazonS3ConfigKey::AccessKeyId)),
                    ("AWS_SECRET_ACCESS_KEY", value(AmazonS3ConfigKey::SecretAccessKey)),
                    ("AWS_SESSION_TOKEN", value(AmazonS3ConfigKey::Token)),
                ])?;
            }
            _ => {
                let reason = "accessKeyId and secretAccessKey belong together".to_owned();
                return Err(StoreError::Option { option: "accessKeyId", reason });
            }
        }
        if options.anonymous {
            builder = builder.with_skip_signature(true);
        }
        let value = |key| builder.get_config_value(&key);
        let region = value(AmazonS3ConfigKey::Region);
        self.check_variables([("AWS_REGION or AWS_DEFAULT_REGION", region.clone())])?;
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = options.endpoint.clone();
        let endpoint = endpoint.or_else(|| value(AmazonS3ConfigKey::S3Endpoint));
        let endpoint = endpoint.or_else(|| value(AmazonS3ConfigKey::Endpoint));
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let hosted = value(AmazonS3ConfigKey::VirtualHostedStyleRequest);
        let hosted = self.is_on(hosted.as_deref(), "AWS_VIRTUAL_HOSTED_STYLE_REQUEST")?
            || options.virtual_hosted;
        let base = Self::endpoint(&endpoint, allow_http)?;
        let mut service = base.clone();
        if hosted {
            let host = format!("{}.{}", address.store, base.host_str().unwrap_or_default());
            let reason = "the bucket cannot be part of the host's name".to_owned();
            let invalid = |_| StoreError::Option { option: "virtualHosted", reason };
            service.set_host(Some(&host)).map_err(invalid)?;
        }
        let skips = value(AmazonS3ConfigKey::SkipSignature);
        let skips = self.is_on(skips.as_deref(), "AWS_SKIP_SIGNATURE")?;
        let signed = (!skips).then_some("x-amz-");
        let (connector, server) = self.connector(base, allow_http, signed)?;
        let store = builder
            .with_config(AmazonS3ConfigKey::S3Endpoint, service.as_str().trim_end_matches('/'))
            .with_virtual_hosted_style_request(hosted)
            .with_region(region)
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
    }
}
