//! Where a store is, what is told to it alone, and whom else a request may go to.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// The servers of a store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreOrigin {
    /// Scheme, host and port. Hosts below this one belong to it too: buckets have hosts of their own.
    base: Url,
    /// Appended to the address of each object: a shared access signature, a token.
    query: Option<String>,
    /// Whether objects may be fetched from other hosts that the store names.
    may_leave: bool,
    /// Whether data and credentials may go unencrypted to other machines.
    allow_http: bool,
}

impl StoreOrigin {
    pub(crate) fn new(base: Url, query: Option<String>, may_leave: bool, allow_http: bool) -> Self {
        Self { base, query, may_leave, allow_http }
    }

    /// Whether a request goes to the store, and not to somebody that gives out credentials.
    pub(crate) fn owns(&self, url: &Url) -> bool {
        let (Some(base), Some(host)) = (self.base.host_str(), url.host_str()) else { return false };
        let below =
            host.strip_suffix(base).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        below
            && url.scheme() == self.base.scheme()
            && url.port_or_known_default() == self.base.port_or_known_default()
    }

    /// Whether somebody at this address may be asked for credentials.
    pub(crate) fn may_give_credentials(&self, url: &Url) -> bool {
        is_metadata(url) || is_allowed(url, self.allow_http)
    }

    /// Appends the query that belongs to each object.
    pub(crate) fn add_query(&self, url: &mut Url) {
        if let Some(query) = &self.query {
            let all = match url.query() {
                Some(own) if !own.is_empty() => format!("{own}&{query}"),
                _ => query.clone(),
            };
            url.set_query(Some(&all));
        }
    }

    /// Whether a request that was answered with a redirect goes on. Signatures hold for one host, so only plain
    /// servers may send to another; never from https to http, and to http on another machine only if the user
    /// allows it.
    pub(crate) fn may_redirect(&self, from: &Url, to: &Url) -> bool {
        if from.origin() == to.origin() {
            return true;
        }
        let is_safe = to.scheme() == "https"
            || to.scheme() == "http" && from.scheme() == "http" && is_allowed(to, self.allow_http);
        self.may_leave && is_safe
    }
}

impl fmt::Debug for StoreOrigin {
    /// Without the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base.origin().ascii_serialization())
    }
}

/// Whether data may go to this address: encrypted, on this machine, or because the user allows it.
pub(crate) fn is_allowed(url: &Url, allow_http: bool) -> bool {
    url.scheme() == "https" || allow_http || is_loopback(url)
}

/// Whether it is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Whether it is a place that only this machine and those next to it reach, where a machine is told about itself: the
/// metadata of EC2, ECS, EKS, Google's and Azure's machines. What is not encrypted goes no further.
pub(crate) fn is_metadata(url: &Url) -> bool {
    let is_near = match url.host() {
        Some(Host::Domain(name)) => name == "metadata.google.internal",
        Some(Host::Ipv4(address)) => address.is_link_local(),
        // EC2 and EKS have theirs at `fd00:ec2::254` and `fd00:ec2::23`.
        Some(Host::Ipv6(address)) => {
            address.is_unicast_link_local() || address.segments()[..2] == [0xfd00, 0xec2]
        }
        None => false,
    };
    url.scheme() == "http" && (is_near || is_loopback(url))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn origin(base: &str, may_leave: bool) -> StoreOrigin {
        StoreOrigin::new(url(base), Some("token=secret".to_owned()), may_leave, false)
    }

    #[test]
    fn hosts_of_buckets_belong_to_their_store_and_others_do_not() {
        let origin = origin("https://s3.eu-west-1.amazonaws.com", false);
        for own in
            ["https://s3.eu-west-1.amazonaws.com/b/k", "https://b.s3.eu-west-1.amazonaws.com/k"]
        {
            assert!(origin.owns(&url(own)), "{own}");
        }
        for other in [
            "https://sts.eu-west-1.amazonaws.com/",
            "http://s3.eu-west-1.amazonaws.com/b",
            "https://s3.eu-west-1.amazonaws.com:444/b",
            "https://evils3.eu-west-1.amazonaws.com/b",
            "http://169.254.169.254/latest",
        ] {
            assert!(!origin.owns(&url(other)), "{other}");
        }
    }

    #[test]
    fn the_query_is_kept_on_every_address_and_shown_nowhere() {
        let origin = origin("https://example.org", true);
        let mut address = url("https://example.org/a");
        origin.add_query(&mut address);
        assert_eq!(address.as_str(), "https://example.org/a?token=secret");
        let mut address = url("https://example.org/a?x=1");
        origin.add_query(&mut address);
        assert_eq!(address.as_str(), "https://example.org/a?x=1&token=secret");
        assert_eq!(format!("{origin:?}"), "https://example.org");
    }

    #[test]
    fn redirects_stay_where_it_is_safe() {
        let plain = origin("https://example.org", true);
        let from = url("https://example.org/a");
        assert!(plain.may_redirect(&from, &url("https://example.org/b")));
        assert!(plain.may_redirect(&from, &url("https://cdn.example.net/a")));
        assert!(!plain.may_redirect(&from, &url("http://example.org/a")));
        assert!(!plain.may_redirect(&from, &url("http://localhost/a")));
        let signed = origin("https://example.org", false);
        assert!(!signed.may_redirect(&from, &url("https://cdn.example.net/a")));
        let local = origin("http://localhost:1", true);
        assert!(!local.may_redirect(&url("http://localhost:1/a"), &url("http://example.org/a")));
        assert!(local.may_redirect(&url("http://localhost:1/a"), &url("http://127.0.0.1:2/a")));
    }

    #[test]
    fn unencrypted_data_leaves_the_machine_only_if_allowed() {
        for local in ["http://localhost:9000", "http://127.0.0.2", "http://[::1]:80"] {
            assert!(is_allowed(&url(local), false), "{local}");
        }
        for remote in ["http://10.0.0.1", "http://example.org", "http://localhost.example.org"] {
            assert!(!is_allowed(&url(remote), false), "{remote}");
            assert!(is_allowed(&url(remote), true), "{remote}");
        }
        assert!(is_allowed(&url("https://example.org"), false));
    }
    #[test]
    fn metadata_is_next_to_the_machine() {
        for near in [
            "http://169.254.169.254/latest",
            "http://169.254.170.2/v2/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://[fe80::1]/",
            "http://metadata.google.internal/computeMetadata/v1/",
            "http://127.0.0.1:41741/msi/token",
        ] {
            assert!(is_metadata(&url(near)), "{near}");
        }
        for other in [
            "http://sts.example.org/",
            "http://10.0.0.1/",
            "http://[fd00:ec3::23]/",
            "http://metadata.google.internal.example.org/",
            "https://169.254.169.254/",
        ] {
            assert!(!is_metadata(&url(other)), "{other}");
        }
    }
}
