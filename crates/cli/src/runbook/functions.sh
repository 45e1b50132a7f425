# ---- what the steps below are made of; POSIX sh, openssl, awk, and the stores' own programs

set -eu
umask 077
export LC_ALL=C

# Every path of the plan lies below ROOT: empty on the host itself, else a copied tree.
ROOT=${ROOT:-}
# Backups and what was done; keep it until nobody wants to go back. Not among the product's files.
BACKUP=${BACKUP:-${HOME:-/root}/capgrow-runbook-$DIGEST}
# The programs. Workload Automation brings a Java of its own, which goes first on the PATH where it is there.
JRE=${JRE:-$ROOT/opt/IBM/TWA/TWS/JavaExt/jre/jre/bin}
[ -d "$JRE" ] && PATH=$JRE:$PATH
[ -d /usr/Tivoli/TWS/GSKit64/8/bin ] && PATH=$PATH:/usr/Tivoli/TWS/GSKit64/8/bin
[ -d /opt/ibm/gsk8_64/bin ] && PATH=$PATH:/opt/ibm/gsk8_64/bin
KEYTOOL=${KEYTOOL:-keytool}
GSK=${GSK:-gsk8capicmd_64}
export PATH

say() { printf '%s\n' "$*"; }
fail() { printf 'runbook: %s\n' "$*" >&2; exit 3; }

# A secret that nobody exported is taken from the product's own file, else asked for; never an argument.
need() { # VARIABLE BASE64-FILE WHAT
  eval "set_=\${$1+x}"
  if [ -z "$set_" ] && [ -n "$2" ] && [ -r "$ROOT$2" ]; then
    eval "$1=\$(openssl base64 -d -A < \"\$ROOT\$2\")"; set_=x
  fi
  if [ -z "$set_" ] && [ -t 0 ]; then
    printf '%s: %s: ' "$1" "$3" >&2
    case $1 in PW_*) stty -echo ;; esac
    read -r answer_; case $1 in PW_*) stty echo; echo >&2 ;; esac
    eval "$1=\$answer_"; set_=x
  fi
  [ -n "$set_" ] || { printf 'runbook: export %s (%s)\n' "$1" "$3" >&2; exit 2; }
  export "$1"
}

digest() { openssl dgst -sha256 -r < "$1" | cut -d' ' -f1; }
state_of() { if [ -e "$ROOT$1" ]; then digest "$ROOT$1"; else echo absent; fi; }
record() { mkdir -p "$BACKUP/now$(dirname "$1")"; state_of "$1" > "$BACKUP/now$1"; }

# Before a file is touched: it is as the plan, or the step before, left it; then it is saved.
unchanged() { # PATH DIGEST|absent
  known_=$2
  [ ! -e "$BACKUP/now$1" ] || known_=$(cat "$BACKUP/now$1")
  [ "$(state_of "$1")" = "$known_" ] || fail "$1 is not what the plan saw; nothing of it was changed: scan and plan again"
}
save() { # PATH
  kept_=$BACKUP/$STEP$1
  mkdir -p "$(dirname "$kept_")"
  [ ! -e "$kept_" ] && [ ! -e "$kept_.absent" ] || return 0
  if [ -e "$ROOT$1" ]; then cp -p "$ROOT$1" "$kept_.part"; mv "$kept_.part" "$kept_"; else : > "$kept_.absent"; fi
}
restore() { # PATH
  kept_=$BACKUP/$STEP$1
  if [ -e "$kept_.absent" ]; then rm -f "$ROOT$1"
  elif [ -e "$kept_" ]; then cp -p "$kept_" "$ROOT$1.capgrow"; mv -f "$ROOT$1.capgrow" "$ROOT$1"
  fi
  record "$1"
}

# A file is changed on a copy beside it and put in place whole. NEW is the copy, with the same ending.
copy() { # PATH
  dir_=$(dirname "$ROOT$1"); name_=$(basename "$1")
  mkdir -p "$dir_"
  NEW=$dir_/capgrow.$name_
  rm -f "$NEW"
  if [ -e "$ROOT$1" ]; then cp -p "$ROOT$1" "$NEW"; else : > "$NEW"; fi
  case $name_ in *.kdb)
    for end_ in sth rdb crl; do
      [ ! -e "${ROOT}${1%.kdb}.$end_" ] || cp -p "${ROOT}${1%.kdb}.$end_" "${NEW%.kdb}.$end_"
    done ;;
  esac
}
place() { # PATH
  case $1 in *.kdb) rm -f "${NEW%.kdb}.sth" "${NEW%.kdb}.rdb" "${NEW%.kdb}.crl" ;; esac
  mv -f "$NEW" "$ROOT$1"
  record "$1"
}
drop() { rm -f "$ROOT$1"; record "$1"; }
leaves() { [ "$(state_of "$1")" = "$2" ] || fail "$1 is not what the plan wants; take this step back"; }

# Certificates of this runbook, as files.
paper() { printf '%s\n' '-----BEGIN CERTIFICATE-----' > "$WORK/$1.pem"; printf '%s\n' "$2" | fold -w 64 >> "$WORK/$1.pem"; printf '%s\n' '-----END CERTIFICATE-----' >> "$WORK/$1.pem"; }
papers() { for one_ in "$@"; do cat "$WORK/$one_.pem"; done; }

# The new key, its chain and its name as PKCS#12 under a password of the moment.
pfx() { # KEY-VARIABLE ALIAS CHAIN…
  key_=$1; alias_=$2; leaf_=$3; shift 3
  ONCE=$(openssl rand -hex 16); export ONCE
  eval "file_=\$$key_; locked_=\${${key_}_PW+x}"
  papers "$@" > "$WORK/rest.pem"
  set --
  [ ! -s "$WORK/rest.pem" ] || set -- -certfile "$WORK/rest.pem"
  [ -z "$locked_" ] || { export "${key_}_PW"; set -- "$@" -passin "env:${key_}_PW"; }
  openssl pkcs12 -export -inkey "$file_" -in "$WORK/$leaf_.pem" "$@" -name "$alias_" -out "$WORK/key.p12" \
    -passout env:ONCE -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
}

# Stores that Java reads. TYPE and VARIABLE come first.
java() { # TYPE VARIABLE keytool's own words…
  type_=$1; secret_=$2; shift 2
  case $type_ in
    BKS|UBER|BCFKS) set -- "$@" -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath "${BCPROV:?the path of bcprov.jar}" ;;
  esac
  "$KEYTOOL" "$@" -storetype "$type_" -keystore "$NEW" -storepass:env "$secret_"
}
java_trust() { java "$1" "$2" -importcert -noprompt -alias "$3" -file "$WORK/$4.pem"; }
java_delete() { java "$1" "$2" -delete -alias "$3"; }
java_key() { # TYPE VARIABLE ALIAS OWN-PASSWORD-VARIABLE KEY-VARIABLE CHAIN…
  type_=$1; secret_=$2; alias_=$3; own_=$4; key_=$5; shift 5
  pfx "$key_" "$alias_" "$@"
  "$KEYTOOL" -importkeystore -noprompt -srckeystore "$WORK/key.p12" -srcstoretype PKCS12 -srcstorepass:env ONCE \
    -srcalias "$alias_" -srckeypass:env ONCE -destkeystore "$NEW" -deststoretype "$type_" -deststorepass:env "$secret_" \
    -destalias "$alias_" -destkeypass:env "${own_:-$secret_}"
  rm -f "$WORK/key.p12"
}
java_shows() { # TYPE VARIABLE FINGERPRINT yes|no
  found_=no
  ! java "$1" "$2" -list -v | tr -d ' :' | grep -qi "SHA256$3" || found_=yes
  [ "$found_" = "$4" ] || fail "after the edit the store holds the certificate $3: $found_, and should: $4"
}

# CMS key databases. The password is the stash's; where there is none it is an argument, as that program wants it.
gsk() { # VARIABLE|- gsk8capicmd's own words…
  secret_=$1; shift
  if [ "$secret_" = - ]; then "$GSK" "$@" -db "$NEW" -stashed
  else eval "$GSK \"\$@\" -db \"\$NEW\" -pw \"\$$secret_\""; fi
}
gsk_trust() { gsk "$1" -cert -add -label "$2" -file "$WORK/$3.pem" -format ascii; }
gsk_delete() { gsk "$1" -cert -delete -label "$2"; }
gsk_default() { gsk "$1" -cert -setdefault -label "$2"; }
gsk_key() { # VARIABLE|- LABEL KEY-VARIABLE CHAIN…
  secret_=$1; label_=$2; key_=$3; shift 3
  pfx "$key_" "$label_" "$@"
  if [ "$secret_" = - ]; then set -- -target_stashed; else eval "set -- -target_pw \"\$$secret_\""; fi
  "$GSK" -cert -import -db "$WORK/key.p12" -type pkcs12 -pw "$ONCE" -label "$label_" -target "$NEW" -target_type cms "$@"
  rm -f "$WORK/key.p12"
}

# PEM files: blocks of text. A certificate is known by its content, whatever stands around it.
pem_trust() { [ -z "$(tail -c 1 "$NEW")" ] || echo >> "$NEW"; cat "$WORK/$1.pem" >> "$NEW"; }
pem_first() { papers "$1" > "$WORK/front"; cat "$NEW" >> "$WORK/front"; cat "$WORK/front" > "$NEW"; rm -f "$WORK/front"; }
pem_without() { # PATTERN-OF-BEGIN BODY (empty: any)
  awk -v kind="$1" -v want="$2" '
    $0 ~ "-----BEGIN " { on = ($0 ~ kind); block = ""; body = "" }
    on { block = block $0 "\n"; if ($0 !~ "-----" && $0 !~ ":") { gsub(/[ \t\r]/, ""); body = body $0 } }
    on && /-----END / { on = 0; if (want != "" && body != want) printf "%s", block; next }
    !on { print }' "$NEW" > "$WORK/kept"
  cat "$WORK/kept" > "$NEW"; rm -f "$WORK/kept"
}
pem_drop() { pem_without 'BEGIN (TRUSTED |X509 )?CERTIFICATE' "$1"; }
pem_drop_keys() { pem_without 'PRIVATE KEY' ''; }
pem_key() { # KEY-VARIABLE PASSWORD-VARIABLE|- : on stdout
  eval "file_=\$$1; locked_=\${${1}_PW+x}"
  secret_=$2; key_=$1; set --
  [ -z "$locked_" ] || { export "${key_}_PW"; set -- -passin "env:${key_}_PW"; }
  if [ "$secret_" = - ]; then set -- "$@" -nocrypt; else set -- "$@" -v2 aes-256-cbc -passout "env:$secret_"; fi
  openssl pkcs8 -topk8 -in "$file_" "$@"
}
pem_key_first() { # KEY-VARIABLE PASSWORD-VARIABLE|- CHAIN…
  pem_key "$1" "$2" > "$WORK/front"; shift 2
  papers "$@" >> "$WORK/front"; cat "$NEW" >> "$WORK/front"; cat "$WORK/front" > "$NEW"; rm -f "$WORK/front"
}

# Texts: by line and column, so that nothing else of the file is told or touched.
within() { # LINE COLUMN COUNT TEXT
  TEXT=$4 awk -v n="$1" -v c="$2" -v r="$3" 'NR == n { $0 = substr($0, 1, c) ENVIRON["TEXT"] substr($0, c + 1 + r) } { print }' "$NEW" > "$WORK/text"
  put_text
}
after() { # LINE TEXT
  TEXT=$2 awk -v n="$1" 'NR == 1 && n == 0 { print ENVIRON["TEXT"] } { print } NR == n { print ENVIRON["TEXT"] }' "$NEW" > "$WORK/text"
  put_text
}
without() { # LINE COUNT
  awk -v n="$1" -v r="$2" 'NR < n || NR >= n + r { print }' "$NEW" > "$WORK/text"
  put_text
}
put_text() { # with a line end at the end only where there was one
  if [ -n "$(tail -c 1 "$NEW")" ]; then awk 'NR > 1 { print last } { last = $0 } END { printf "%s", last }' "$WORK/text" > "$NEW"
  else cat "$WORK/text" > "$NEW"; fi
  rm -f "$WORK/text"
}

# Commands of the product: no shell, its directory, a clean environment.
run() { # DIRECTORY argv…
  dir_=$ROOT$1; shift
  [ -d "$dir_" ] || dir_=/
  case $1 in /*) [ ! -x "$ROOT$1" ] || { first_=$ROOT$1; shift; set -- "$first_" "$@"; } ;; esac
  say "  $*"
  (cd "$dir_" && env -i PATH="$PATH" HOME="${HOME:-/}" USER="${USER:-}" LOGNAME="${LOGNAME:-}" LANG="${LANG:-C}" TZ="${TZ:-}" \
    TMPDIR="$WORK" CAPGROW_ROOT="$ROOT" "$@")
}
within_time() { # SECONDS words…
  left_=$1; shift
  until "$@" > /dev/null 2>&1; do
    left_=$((left_ - 1))
    [ "$left_" -gt 0 ] || return 1
    sleep 1
  done
}
answers() { openssl s_client -connect "$1" < /dev/null 2>&1 | grep -q '^CONNECTED'; }
shows() { # ADDRESS FINGERPRINT
  [ "$(openssl s_client -connect "$1" < /dev/null 2> /dev/null | openssl x509 -outform DER 2> /dev/null | openssl dgst -sha256 -r | cut -d' ' -f1)" = "$2" ]
}
lets_in() { # ADDRESS KEY-VARIABLE CHAIN…
  to_=$1; eval "file_=\$$2; locked_=\${${2}_PW+x}"; key_=$2; shift 2
  papers "$@" > "$WORK/chain.pem"
  set --
  [ -z "$locked_" ] || { export "${key_}_PW"; set -- -pass "env:${key_}_PW"; }
  # A refusal of TLS 1.3 comes after the handshake: one second is waited for it.
  said_=$({ sleep 1; } | openssl s_client -connect "$to_" -cert "$WORK/chain.pem" -cert_chain "$WORK/chain.pem" -key "$file_" "$@" 2>&1) || :
  case $said_ in *CONNECTED*alert*|*alert*CONNECTED*) return 1 ;; *CONNECTED*) return 0 ;; esac
  return 1
}

# One step: not twice, not after one that was begun and not ended, not back before a later one.
begin() { # STEP WHAT
  STEP=$1
  if [ -e "$BACKUP/$STEP.done" ]; then say "step $STEP ($2): done before"; return 1; fi
  [ ! -e "$BACKUP/$STEP.begun" ] || fail "step $STEP ($2) was begun and did not end: take it back first ($0 $HOST $PHASE rollback)"
  mkdir -p "$BACKUP/$STEP"; : > "$BACKUP/$STEP.begun"
  say "step $STEP: $2"
}
end() { mv "$BACKUP/$STEP.begun" "$BACKUP/$STEP.done"; }
begin_back() { # STEP WHAT LATER-STEPS-OF-THIS-HOST…
  STEP=$1; what_=$2; shift 2
  [ -e "$BACKUP/$STEP.done" ] || [ -e "$BACKUP/$STEP.begun" ] || return 1
  for later_ in "$@"; do
    [ ! -e "$BACKUP/$later_.done" ] && [ ! -e "$BACKUP/$later_.begun" ] || fail "step $later_ came after it: take that back first"
  done
  say "back: step $STEP: $what_"
}
end_back() { rm -f "$BACKUP/$STEP.done" "$BACKUP/$STEP.begun"; rm -rf "${BACKUP:?}/$STEP"; }
