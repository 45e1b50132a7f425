#!/bin/sh
# A workload automation server gets the certificate that its authority sent as a PFX; the default ones go afterwards.
P=default1
# As installed, and what the authority sent.
keytool -genkeypair -alias server -keyalg RSA -keysize 2048 -dname "CN=Server,OU=TWS,O=IBM,C=US" -storetype JKS -keypass $P \
    -keystore TWSServerKeyFile.jks -storepass $P 2>/dev/null
keytool -exportcert -alias server -file server.crt -keystore TWSServerKeyFile.jks -storepass $P 2>/dev/null
keytool -importcert -noprompt -alias client -file server.crt -storetype JKS -keystore TWSServerTrustFile.jks -storepass $P 2>/dev/null
keytool -genkeypair -alias glowfish -keyalg RSA -keysize 2048 -dname "CN=glowfish.example.com" -keystore glowfish.pfx \
    -storetype PKCS12 -storepass fromTheCa 2>/dev/null
gsk8capicmd_64 -keydb -create -db TWSClientKeyStore.kdb -pw $P -stash
gsk8capicmd_64 -cert -add -db TWSClientKeyStore.kdb -stashed -label Server -file server.crt -format binary

# Key store.
cp TWSServerKeyFile.jks TWSServerKeyFile.jks.orig
keytool -importkeystore -srckeystore glowfish.pfx -srcstoretype PKCS12 -srcstorepass fromTheCa -destkeystore TWSServerKeyFile.jks \
    -deststorepass $P -destkeypass $P 2> import.log
grep -q "Entry for alias glowfish successfully imported." import.log
keytool -list -keystore TWSServerKeyFile.jks -storepass $P 2>/dev/null | grep -q "Your keystore contains 2 entries"

# Trust store.
keytool -exportcert -alias glowfish -file glowfish.pub.crt -keystore TWSServerKeyFile.jks -storetype jks -storepass $P 2>/dev/null
keytool -importcert -file glowfish.pub.crt -keystore TWSServerTrustFile.jks -alias glowfish -storepass $P -trustcacerts -noprompt 2>/dev/null
keytool -list -keystore TWSServerTrustFile.jks -storepass $P -v > cert.list
grep -q "^Alias name: glowfish$" cert.list
grep -A 4 "^Alias name: glowfish" cert.list | grep -q "^Owner: CN=glowfish.example.com$"

# A copy as PKCS#12, with both passwords typed.
printf '%s\n%s\n' $P $P | keytool -importkeystore -srckeystore TWSServerKeyFile.jks -destkeystore TWSServerKeyFile.p12 \
    -deststoretype PKCS12 -srcalias glowfish -deststorepass $P -destkeypass $P 2> asked.log
grep -q "Enter source keystore password:" asked.log

# Agents.
gsk8capicmd_64 -cert -add -db TWSClientKeyStore.kdb -stashed -label glowfish -file glowfish.pub.crt
gsk8capicmd_64 -cert -list -db TWSClientKeyStore.kdb -v -stashed | grep -q "Server CN=Server,OU=TWS,O=IBM,C=US CN=Server,OU=TWS,O=IBM,C=US$"
gsk8capicmd_64 -cert -delete -label Server -db TWSClientKeyStore.kdb -stashed
if gsk8capicmd_64 -cert -delete -label Server -db TWSClientKeyStore.kdb -stashed > gone.txt; then exit 1; fi

# The default certificates go; a second time there is nothing to delete.
keytool -delete -alias server -keystore TWSServerKeyFile.jks -storepass $P 2>/dev/null
keytool -delete -alias client -keystore TWSServerTrustFile.jks -storepass $P 2>/dev/null
if keytool -delete -alias client -keystore TWSServerTrustFile.jks -storepass $P > gone.txt; then exit 1; fi
grep -q "Alias <client> does not exist" gone.txt
keytool -list -keystore TWSServerKeyFile.jks.orig -storepass $P 2>/dev/null | grep -q "^server, "
echo "glowfish only: $(keytool -list -keystore TWSServerKeyFile.jks -storepass $P 2>/dev/null | grep -c PrivateKeyEntry)"
