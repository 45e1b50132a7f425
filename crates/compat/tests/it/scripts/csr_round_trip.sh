#!/bin/sh
# A server's key and request, an authority of two levels, the answer, and the server's store complete.
STORE=server.p12
PASS=changeit

# The authority. Its stores are on another machine in real life.
keytool -genkeypair -alias root -keyalg RSA -keysize 3072 -dname "CN=Root CA,O=Acme" -ext bc:c -ext ku:c=kCS,cRL \
    -validity 3650 -keystore root.p12 -storepass "$PASS" 2>/dev/null
keytool -genkeypair -alias issuing -keyalg EC -groupname secp384r1 -dname "CN=Issuing CA,O=Acme" \
    -keystore issuing.p12 -storepass "$PASS" 2>/dev/null
keytool -certreq -alias issuing -keystore issuing.p12 -storepass "$PASS" |
    keytool -gencert -alias root -ext bc:c=0 -ext ku:c=kCS,cRL -rfc -keystore root.p12 -storepass "$PASS" > issuing.pem
keytool -exportcert -alias root -rfc -keystore root.p12 -storepass "$PASS" > root.pem
keytool -importcert -noprompt -alias root -file root.pem -keystore issuing.p12 -storepass "$PASS"
keytool -importcert -alias issuing -file issuing.pem -keystore issuing.p12 -storepass "$PASS"

# The server.
keytool -genkeypair -alias server -keyalg RSA -keysize 2048 -dname "CN=$(echo Web).example.com, O=Acme" \
    -ext san=dns:web.example.com -keystore "$STORE" -storepass "$PASS"
keytool -certreq -alias server -file server.csr -ext san=dns:web.example.com -keystore "$STORE" -storepass "$PASS"
keytool -printcertreq -file server.csr | grep -q "DNSName: web.example.com"

# The answer, with the names that were asked for.
keytool -gencert -alias issuing -infile server.csr -outfile server.pem -rfc -ext honored=san -ext eku=serverAuth \
    -validity 397 -keystore issuing.p12 -storepass "$PASS"

# Root first, then the chain; without the root keytool would ask.
cat server.pem > chain.pem
keytool -importcert -noprompt -trustcacerts -alias root -file root.pem -keystore "$STORE" -storepass "$PASS"
if keytool -importcert -alias server -file root.pem -keystore "$STORE" -storepass "$PASS" > refused.txt; then
    echo "a foreign certificate was taken as the reply" >&2
    exit 1
fi
grep -q "Public keys in reply and keystore don't match" refused.txt
keytool -importcert -alias server -file chain.pem -keystore "$STORE" -storepass "$PASS" 2>&1 |
    grep -q "Certificate reply was installed in keystore"

length=$(keytool -list -v -alias server -keystore "$STORE" -storepass "$PASS" | sed -n 's/^Certificate chain length: //p')
issuer=$(keytool -list -v -alias server -keystore "$STORE" -storepass "$PASS" | sed -n 's/^Issuer: //p' | head -1)
echo "server: $length certificates, issued by $issuer"
