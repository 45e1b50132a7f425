#!/bin/sh
# A queue manager's new key repository, from the PKCS#12 files that the authority sent; then the one that an older tool wants.
export LC_ALL=C
db="zzserver.kdb"

# What the authority does. In real life it is somebody else.
keytool -genkeypair -alias root -keyalg RSA -keysize 2048 -dname "CN=Acme Root,O=Acme,C=DE" -ext bc:c -ext ku:c=kCS,cRL \
    -validity 3650 -keystore ca.p12 -storepass capass 2>/dev/null
keytool -exportcert -rfc -alias root -file ca256.pem -keystore ca.p12 -storepass capass 2>/dev/null
for name in ss ecec; do
    if [ $name = ss ]; then alg="-keyalg RSA -keysize 2048"; else alg="-keyalg EC -groupname secp256r1"; fi
    keytool -genkeypair -alias $name $alg -dname "CN=$name.example,O=Acme,C=DE" -keystore $name.p12 -storepass password 2>/dev/null
    keytool -certreq -alias $name -keystore $name.p12 -storepass password |
        keytool -gencert -alias root -rfc -ext san=dns:$name.example -ext eku=sA,cA -keystore ca.p12 -storepass capass > $name.pem
    cat $name.pem ca256.pem | keytool -importcert -noprompt -alias $name -keystore $name.p12 -storepass password 2>/dev/null
done

# As people have it.
if [ -f $db ]; then runmqakm -keydb -delete -db $db -pw password; fi
# create the cms keystore
runmqakm -keydb -create -db $db -type cms -pw password -stash
# add the CA certificate
runmqakm -cert -add -file ca256.pem -type cms -stashed -db $db -label ca256
# add the certificates and private keys into the store
runmqakm -cert -import -file ss.p12 -type pkcs12 -pw password -target $db -target_stashed -label ss -new_label SS_SERVER
runmqakm -cert -import -file ecec.p12 -type pkcs12 -pw password -target $db -target_stashed -label ecec -new_label ECEC_SERVER
runmqakm -cert -list all -db $db -type cms -stashed
# give the group access to the files
chmod g+r zzserver.*

# What the list says, the way scripts read it.
[ "$(runmqakm -cert -list -db $db -stashed | grep -v found | grep -v "* default" | awk '{print $2}' | sort | tr '\n' ' ')" = \
    "ECEC_SERVER SS_SERVER ca256 " ]
for label in SS_SERVER ECEC_SERVER; do
    runmqakm -cert -validate -db $db -stashed -label $label -keymatch | grep -q OK
    runmqakm -cert -details -db $db -type cms -stashed -label $label | grep -q '^Issuer : "CN=Acme Root,O=Acme,C=DE"'
done
if runmqakm -cert -details -db $db -stashed -label ss_server > wrong.txt; then exit 1; fi
grep -q "CTGSK3029W The database doesn't contain an entry with label \"ss_server\"." wrong.txt
runmqakm -cert -setdefault -db $db -stashed -label SS_SERVER
[ "$(runmqakm -cert -list personal -db $db -stashed | sed -n 's/^\*-	//p')" = SS_SERVER ]
runmqakm -cert -details -db $db -stashed -label SS_SERVER | sed -n 's/^Not After : //p' > dates.txt
[ "$(wc -l < dates.txt)" -eq 1 ]

# The whole file at once, in both spellings, and back.
gsk8capicmd_64 -keydb -convert -db ss.p12 -pw password -old_format pkcs12 -target one.kdb -new_format cms -stash
gsk8capicmd_64 -keydb -convert -db ss.p12 -pw password -new_db two.kdb -new_format cms
gsk8capicmd_64 -keydb -convert -db $db -stashed -target back.p12 -new_format p12 -new_pw backpass
fingerprint() {
    "$@" | sed -n '/^Fingerprint : SHA256/{n;s/ //g;p;n;s/ //g;p;}' | tr -d '\n'
}
want=$(fingerprint runmqakm -cert -details -db $db -stashed -label SS_SERVER)
[ ${#want} -eq 64 ]
[ "$(fingerprint gsk8capicmd_64 -cert -details -db one.kdb -stashed -label ss)" = "$want" ]
[ "$(fingerprint gsk8capicmd_64 -cert -details -db two.kdb -pw password -label ss)" = "$want" ]
shown=$(keytool -list -keystore back.p12 -storepass backpass -alias SS_SERVER | sed -n 's/^Certificate fingerprint (SHA-256): //p' | tr -d ':')
[ "$shown" = "$want" ]

# The label goes, the rest stays; the stash is the key of whoever has it.
gsk8capicmd_64 -cert -delete -label ECEC_SERVER -db $db -stashed
[ "$(gsk8capicmd_64 -cert -list -db $db -stashed | grep -c SERVER)" = 1 ]
cp zzserver.sth aside.sth
gsk8capicmd_64 -keydb -changepw -db $db -stashed -new_pw An0ther-pass -stash
if gsk8capicmd_64 -cert -list -db $db -pw password > old.txt; then exit 1; fi
gsk8capicmd_64 -cert -list -db $db -stashed > /dev/null
echo "SS_SERVER is the same in $(ls *.kdb | wc -l | tr -d ' ') databases"
