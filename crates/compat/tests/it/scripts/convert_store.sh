#!/bin/sh
# A JKS store with three identities becomes PKCS#12, in place, with its backup; then one identity is split off.
PASS=secret99
for name in alpha beta gamma; do
    keytool -genkey -alias $name -keyalg RSA -keysize 2048 -dname "CN=$name" -storetype JKS -keypass $PASS \
        -keystore all.store -storepass $PASS 2>/dev/null
done
fingerprints() {
    keytool -list -keystore "$1" -storepass "$2" 2>/dev/null | sed -n 's/^Certificate fingerprint (SHA-256): //p' | sort
}
fingerprints all.store $PASS > before.txt
[ "$(wc -l < before.txt)" = 3 ]

keytool -importkeystore -srckeystore all.store -srcstorepass $PASS -destkeystore all.store -deststoretype pkcs12 2> migrate.log
grep -q 'Migrated "all.store" to PKCS12. The JKS keystore is backed up as "all.store.old".' migrate.log
keytool -list -keystore all.store -storepass $PASS | grep -q "Keystore type: PKCS12"
fingerprints all.store $PASS > after.txt
fingerprints all.store.old $PASS > backup.txt

keytool -importkeystore -srckeystore all.store -srcstorepass $PASS -srcalias beta -destalias web \
    -destkeystore one.p12 -deststoretype PKCS12 -deststorepass other-pass 2>/dev/null
keytool -delete -alias beta -keystore all.store -storepass $PASS
[ "$(fingerprints all.store $PASS | wc -l)" = 2 ]
keytool -storepasswd -new third-pass -keystore one.p12 -storepass other-pass
keytool -certreq -alias web -keystore one.p12 -storepass third-pass | grep -q "BEGIN NEW CERTIFICATE REQUEST"
if keytool -list -keystore one.p12 -storepass other-pass > wrong.txt; then exit 1; fi
grep -q "keystore password was incorrect" wrong.txt

cmp before.txt after.txt
cmp before.txt backup.txt
echo "same certificates before and after"
