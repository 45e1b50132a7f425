#!/bin/sh
# A new authority goes into the trust store of every host: JKS on the old ones, PKCS#12 on the new, passwords in files.
keytool -genkeypair -alias ca -keyalg RSA -keysize 2048 -dname "CN=New Root,O=Acme" -ext bc:c -validity 7300 \
    -keystore ca.p12 -storepass capass 2>/dev/null
keytool -exportcert -alias ca -rfc -file newroot.pem -keystore ca.p12 -storepass capass 2>/dev/null
keytool -genkeypair -alias ca -keyalg RSA -keysize 2048 -dname "CN=Old Root,O=Acme" -ext bc:c \
    -keystore old.p12 -storepass capass 2>/dev/null
keytool -exportcert -alias ca -file oldroot.der -keystore old.p12 -storepass capass 2>/dev/null

i=1
while [ $i -le 20 ]; do
    mkdir -p host$i
    echo "trust-$i-pass" > host$i/password
    if [ $((i % 2)) = 0 ]; then type=JKS; else type=PKCS12; fi
    keytool -importcert -noprompt -alias oldroot -file oldroot.der -storetype $type \
        -keystore host$i/trust.store -storepass:file host$i/password 2>/dev/null
    i=$((i + 1))
done

# The run proper, twice: it must be harmless to repeat.
added=0
there=0
for round in 1 2; do
    for host in host*; do
        if keytool -list -alias newroot -keystore $host/trust.store -storepass:file $host/password > /dev/null; then
            there=$((there + 1))
            continue
        fi
        keytool -importcert -noprompt -alias newroot -file newroot.pem \
            -keystore $host/trust.store -storepass:file $host/password 2>> import.log
        added=$((added + 1))
    done
done

wanted=$(keytool -printcert -file newroot.pem | sed -n 's/^[[:space:]]*SHA256: //p')
for host in host*; do
    PW=$(cat $host/password)
    export PW
    found=$(keytool -list -alias newroot -keystore $host/trust.store -storepass:env PW | sed -n 's/^Certificate fingerprint (SHA-256): //p')
    [ "$found" = "$wanted" ]
    keytool -list -keystore $host/trust.store -storepass:env PW | grep -q "Your keystore contains 2 entries"
done
[ "$(grep -c 'Certificate was added to keystore' import.log)" = 20 ]
echo "$added stores trust it, $there did already on the second run"
