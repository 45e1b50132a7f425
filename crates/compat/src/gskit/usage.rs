//! The help texts.

/// Objects, actions, and what they are for.
#[rustfmt::skip]
const ACTIONS: &[(&str, &[(&str, &str)])] = &[
    ("-keydb", &[
        ("-changepw", "Change the password for a key database"),
        ("-convert", "Convert the format of a key database"),
        ("-create", "Create a key database"),
        ("-delete", "Delete a key database"),
        ("-expiry", "Display password expiry [Deprecated]"),
        ("-list", "Currently supported types of key database."),
        ("-stashpw", "Stash the password of a key database into a file"),
    ]),
    ("-cert", &[
        ("-add", "Add a CA Certificate"),
        ("-create", "Create a self-signed certificate"),
        ("-delete", "Delete a certificate"),
        ("-details", "Show the details of a specific certificate"),
        ("-export", "Export a certificate and its private key into a PKCS12 file or a key database"),
        ("-extract", "Extract a certificate from a key database"),
        ("-getdefault", "Show the default personal certificate"),
        ("-import", "Import certificates from a PKCS12 file or a key database"),
        ("-list", "List certificates in a key database"),
        ("-modify", "Modify the trust status of a certificate"),
        ("-receive", "Receive a certificate"),
        ("-rename", "Rename a certificate"),
        ("-setdefault", "Set the default personal certificate"),
        ("-sign", "Sign a certificate"),
        ("-validate", "Validate a certificate"),
    ]),
    ("-certreq", &[
        ("-create", "Create a certificate request"),
        ("-delete", "Delete a certificate request"),
        ("-details", "Show the details of a specific certificate request"),
        ("-extract", "Extract a certificate request"),
        ("-list", "List all certificate requests in a key database"),
        ("-recreate", "Recreate a certificate request"),
    ]),
    ("-secretkey", &[
        ("-add", "Add a secret key"),
        ("-create", "Create a secret key"),
        ("-delete", "Delete a secret key"),
        ("-extract", "Extract a secret key"),
    ]),
    ("-random", &[("-create", "Generate a random number of characters")]),
];

/// The table of one object, or of all.
pub(crate) fn table(object: Option<&str>) -> String {
    let mut text = format!(
        "-Command usage-\n{:<12}{:<12}{}\n{:<12}{:<12}{}\n",
        "Object", "Action", "Description", "------", "------", "-----------"
    );
    let wanted = ACTIONS
        .iter()
        .filter(|(name, _)| object.is_none_or(|object| object == *name));
    for (name, actions) in wanted {
        text += &format!("{name}\n");
        for (action, what) in *actions {
            text += &format!("{:<12}{action:<12}{what}\n", "");
        }
    }
    if object.is_none() {
        text += "-version\n            Display the version of this program\n-help\n            Display this help\n";
    }
    text
}
