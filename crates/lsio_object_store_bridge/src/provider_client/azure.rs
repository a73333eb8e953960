//! The client of Azure Blob Storage.

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::{Made, Plan, client_options, no_retries};
use crate::StoreError;
use crate::address::{Account, Cloud};
use crate::options::Secret;

impl Plan<'_> {
    pub(super) fn azure(
        self,
        environment: MicrosoftAzureBuilder,
        allow_http: bool,
    ) -> Result<Made, StoreError> {
        let Self { address, options, .. } = self;
        let value = |key| environment.get_config_value(&key);
        let named = address.account.as_ref();
        let account = options.account.clone().or_else(|| named.map(|named| named.name.clone()));
        let account = account.or_else(|| value(AzureConfigKey::AccountName)).ok_or_else(|| {
            self.not_set_up("no account is given: set the storage option 'account'".to_owned())
        })?;
        self.check_variables([
            ("AZURE_STORAGE_ACCOUNT_NAME", Some(account.clone())),
            ("AZURE_STORAGE_TOKEN", value(AzureConfigKey::Token)),
        ])?;
        let endpoint = options.endpoint.clone().or_else(|| value(AzureConfigKey::Endpoint));
        let endpoint = match (endpoint, named.map(|Account { cloud, .. }| cloud)) {
            (Some(endpoint), _) => endpoint,
            (None, Some(Cloud::Azure(cloud))) => format!("https://{account}.blob.{cloud}"),
            (None, Some(Cloud::Unsaid) | None) => {
                format!("https://{account}.blob.core.windows.net")
            }
            (None, Some(Cloud::Other(host))) => {
                let reason = format!(
                    "'{host}' is no host of Azure's: set the storage option 'endpoint' to the URL of its service"
                );
                return Err(self.not_set_up(reason));
            }
        };
        let signature = options.sas_token.as_ref().map(Secret::expose);
        let signature = signature.or(address.query.as_deref());
        let given =
            [options.account_key.is_some(), signature.is_some(), options.bearer_token.is_some()];
        if given.into_iter().filter(|given| *given).count() > 1 {
            let reason = "accountKey, sasToken and bearerToken exclude each other".to_owned();
            return Err(StoreError::Option { option: "accountKey", reason });
        }
        // Of the environment, a token goes first.
        let by_key = options.account_key.is_some()
            || signature.is_none()
                && options.bearer_token.is_none()
                && value(AzureConfigKey::AccessKey).is_some()
                && value(AzureConfigKey::Token).is_none();
        let mut builder = match (&options.account_key, signature, &options.bearer_token) {
            (Some(key), ..) => MicrosoftAzureBuilder::new().with_access_key(key.expose()),
            (_, Some(sas), _) => {
                MicrosoftAzureBuilder::new().with_config(AzureConfigKey::SasKey, sas)
            }
            (.., Some(token)) => {
                MicrosoftAzureBuilder::new().with_bearer_token_authorization(token.expose())
            }
            _ => environment.with_use_emulator(false),
        };
        if options.anonymous {
            builder = builder.with_skip_signature(true);
        }
        let skips = builder.get_config_value(&AzureConfigKey::SkipSignature);
        let skips = self.is_on(skips.as_deref(), "AZURE_SKIP_SIGNATURE")?;
        let signed = (by_key && !skips).then_some("x-ms-");
        let base = Self::endpoint(&endpoint, allow_http)?;
        let (connector, server) = self.connector(base.clone(), allow_http, signed)?;
        let store = builder
            .with_account(account)
            .with_container_name(&address.store)
            .with_endpoint(base.as_str().trim_end_matches('/').to_owned())
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
    }
}
