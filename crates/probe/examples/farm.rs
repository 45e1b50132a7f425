//! Many TLS servers in one process, for the benchmark: `farm COUNT` prints `HOST:PORT KIND` for each and serves until
//! its standard input ends.
//!
//! Four kinds in turn: as OpenSSL comes, TLS 1.3 alone with an EC key, TLS 1.2 in the server's order, and TLS 1.0 to 1.2
//! with static RSA.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::ssl::Ssl;
use openssl::ssl::SslContext;
use openssl::ssl::SslContextBuilder;
use openssl::ssl::SslMethod;
use openssl::ssl::SslOptions;
use openssl::ssl::SslStream;
use openssl::ssl::SslVersion;
use openssl::x509::X509;
use openssl::x509::X509Name;
use openssl::x509::extension::SubjectAlternativeName;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args().nth(1).as_deref().unwrap_or("1000").parse()?;
    let kinds = contexts()?;
    let mut out = std::io::stdout().lock();
    for number in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (name, context) = &kinds[number % kinds.len()];
        writeln!(out, "{} {name}", listener.local_addr()?)?;
        let context = context.clone();
        thread::Builder::new().stack_size(256 << 10).spawn(move || {
            listener
                .incoming()
                .flatten()
                .for_each(|stream| serve(&context, stream))
        })?;
    }
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// One connection to its end; what goes wrong is the client's affair.
fn serve(context: &SslContext, stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = stream.set_nodelay(true);
    let Ok(ssl) = Ssl::new(context) else { return };
    let Ok(mut tls) = SslStream::new(ssl, stream) else {
        return;
    };
    if tls.accept().is_ok() {
        let _ = tls.ssl_read(&mut [0; 64]);
        let _ = tls.shutdown();
    }
}

fn contexts() -> Result<Vec<(&'static str, SslContext)>, ErrorStack> {
    let rsa = PKey::from_rsa(Rsa::generate(2048)?)?;
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let ec = PKey::from_ec_key(EcKey::generate(&curve)?)?;
    let usual = context(&rsa)?;
    let mut new = context(&ec)?;
    new.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    let mut ordered = context(&rsa)?;
    ordered.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    ordered
        .set_cipher_list("AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA")?;
    ordered.set_options(SslOptions::CIPHER_SERVER_PREFERENCE);
    let mut old = context(&rsa)?;
    old.set_security_level(0);
    old.set_min_proto_version(Some(SslVersion::TLS1))?;
    old.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    old.set_cipher_list("AES128-SHA:AES256-SHA:AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")?;
    Ok(vec![
        ("usual", usual.build()),
        ("new", new.build()),
        ("ordered", ordered.build()),
        ("old", old.build()),
    ])
}

/// Groups are those that every client knows, so that all can be compared.
fn context(key: &PKey<Private>) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_server())?;
    builder.set_certificate(&*certificate(key)?)?;
    builder.set_private_key(key)?;
    builder.set_groups_list("X25519:P-256:P-384")?;
    Ok(builder)
}

fn certificate(key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_text("CN", "localhost")?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(365)?)?;
    builder.set_pubkey(key)?;
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}
