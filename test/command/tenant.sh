#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# allot tenant, as people and scripts call it: words in any script, files that come back as they were, all or nothing.
set -eu
fail() { echo "$*"; exit 1; }
export ALLOT_STORE="$PWD/s.db" ALLOT_CONFIG=/dev/null
"$ALLOT" init >/dev/null

expect() { # STATUS PATTERN WORD...: what allot WORD... ends with and says on either stream
    want=$1 pattern=$2
    shift 2
    got=0
    "$ALLOT" "$@" >said 2>&1 || got=$?
    if [ "$got" != "$want" ] || ! grep -qe "$pattern" said; then
        echo "allot $*: status $got, not $want, or not '$pattern':"
        cat said
        exit 1
    fi
}
entries() { "$ALLOT" audit show --json | jq length; }
unchanged() { # STATUS PATTERN WORD...: the same, and nothing was written
    before=$(entries)
    expect "$@"
    [ "$(entries)" = "$before" ] || fail "written by: $*"
}
for n in 1 2 3; do ssh-keygen -q -t ed25519 -N '' -C "k$n" -f "k$n"; done

# ---- one tenant ----
odd="광주<&\"' AI"
expect 0 added tenant add "$odd" --organisation '(주)광주 <&"' --registration 1234567890 --contact "Kim <kim@x.kr> +82 62 123" \
    --key k1.pub --set seat=gwangju --set kind=sme
"$ALLOT" tenant show "$odd" --json >show.json
[ "$(jq -r '[.name, .organisation, .registration, .language, .contacts[0].email, .attributes.seat, .state] | join("|")' show.json)" \
    = "$odd|(주)광주 <&\"|123-45-67890|ko|kim@x.kr|gwangju|active" ] || fail "show: $(cat show.json)"
[ "$(jq -r '.keys[0].fingerprint' show.json)" = "$(ssh-keygen -lf k1.pub | cut -d' ' -f2)" ] || fail 'another fingerprint than ssh-keygen'
unchanged 5 'already' tenant add "$odd" --organisation '(주)광주 <&"' --registration 1234567890
unchanged 5 'belongs to' tenant add c2 --organisation Other --registration 123-45-67890
unchanged 5 'belongs to tenant' tenant add c2 --organisation Other --registration 1234567891 --key k1.pub
unchanged 2 'private key' tenant add c2 --organisation Other --registration 1234567891 --key k2
if grep -q "$(sed -n 2p k2 | cut -c1-20)" said; then fail 'a private key is repeated'; fi
unchanged 2 'organisation and --registration' tenant add c2
unchanged 2 "'a/b'" tenant add a/b --organisation O --registration 1234567891
unchanged 2 'must not begin' tenant add --organisation O --registration 1234567891 -- -x
unchanged 2 '10 digits, not 9' tenant add c2 --organisation O --registration 123456789
unchanged 2 'no mail address' tenant add c2 --organisation O --registration 1234567891 --contact Kim
unchanged 4 'did you mean' tenant show "${odd}x"
long=$(printf '%0200d' 0 | sed 's/0/가/g')
if "$ALLOT" tenant show "$long" --json 2>said; then fail 'a tenant without end was found'; fi
[ "$(jq -r .error.code said)" = not_found ] || { cat said; fail 'a message cut inside a letter is no JSON'; }
unchanged 0 'dry run' tenant add c2 --organisation Other --registration 1234567891 --key k2.pub --dry-run

expect 0 changed tenant set "$odd" --set seat=moving --unset kind --contact 'Lee <lee@x.kr>' --drop-contact KIM@x.kr --language en --key - <k2.pub
expect 2 'no SSH public key' tenant set "$odd" --key -
unchanged 5 'is there already' tenant set "$odd" --key - <k2.pub
"$ALLOT" tenant show "$odd" --json >show.json
[ "$(jq -r '[.language, .contacts[].name, .attributes.seat, .attributes.kind, (.keys | length)] | map(. // "-") | join("|")' show.json)" \
    = 'en|Lee|moving|-|2' ] || fail "after set: $(cat show.json)"
unchanged 0 unchanged tenant set "$odd" --set seat=moving --language en
unchanged 4 'no attribute' tenant set "$odd" --unset kind
unchanged 2 'nothing to set' tenant set "$odd"
expect 0 changed tenant set "$odd" --drop-key "$(ssh-keygen -lf k2.pub | cut -d' ' -f2)"
expect 0 changed tenant set "$odd" --organisation '새 이름'
[ "$("$ALLOT" tenant show "$odd" --json | jq -r .organisation)" = '새 이름' ] || fail 'the organisation was not renamed'

# The same key asks once; another command under it is refused; personal words are not kept with the answer.
expect 0 added tenant add c3 --organisation '새 이름' --registration 1234567890 --contact 'Park <park@x.kr>' --idempotency-key a1
unchanged 0 added tenant add c3 --organisation '새 이름' --registration 1234567890 --contact 'Park <park@x.kr>' --idempotency-key a1
unchanged 5 'was used' tenant add c4 --organisation '새 이름' --registration 1234567890 --idempotency-key a1
[ "$(sqlite3 s.db "SELECT count(*) FROM answer WHERE body LIKE '%park%'")" = 0 ] || fail 'an answer keeps a mail address'
[ "$(sqlite3 s.db "SELECT count(*) FROM entry_detail WHERE detail LIKE '%@x.kr%' OR detail LIKE '%AAAAC3Nz%'")" = 0 ] || fail 'the chain has personal words'

# ---- states ----
unchanged 2 'reason is needed' tenant suspend c3
expect 0 suspended tenant suspend c3 --reason '서류 <미비>'
unchanged 5 'is suspended' tenant suspend c3 --reason again
[ "$("$ALLOT" tenant show c3 --json | jq -r .reason)" = '서류 <미비>' ] || fail 'the reason is not shown'
expect 0 active tenant resume c3 --reason ok
unchanged 5 'only a closed' tenant forget c3
expect 0 closed tenant close c3 --reason 'term is over'
unchanged 5 'is closed' tenant set c3 --set seat=x
expect 0 forgotten tenant forget c3
[ "$(sqlite3 s.db "SELECT count(*) FROM tenant_contact c JOIN tenant t ON t.id = c.tenant WHERE t.name = 'c3'")" = 0 ] || fail 'a contact is not forgotten'
[ "$("$ALLOT" tenant list --json | jq length)" = 2 ] || fail list
[ "$("$ALLOT" tenant list --state closed --json | jq -r '.[].name')" = c3 ] || fail 'list --state'
[ "$("$ALLOT" tenant list --attr seat=moving --json | jq -r '.[].name')" = "$odd" ] || fail 'list --attr'
[ "$("$ALLOT" tenant list --attr seat= --json | jq -r '.[].name')" = c3 ] || fail 'list --attr NAME='
[ "$("$ALLOT" tenant list --organisation 123-45-67890 --json | jq length)" = 2 ] || fail 'list --organisation'
expect 2 "did you mean 'closed'" tenant list --state close
expect 2 "no tenant has the attribute 'saet'" tenant list --attr saet=moving

# ---- files ----
printf '\357\273\277name,organisation,registration,contact,keys,attr:seat\r\n' >t.csv
printf '=cmd|1,"A, ""B""",2234567890,"Kim <k@x.kr>; Lee <l@x.kr> 010-123","%s",gwangju\r\n' "$(cat k3.pub)" >>t.csv
printf '둘,나,US 77-1,,,\r\n' >>t.csv
unchanged 0 '^+ =cmd|1' tenant import t.csv --dry-run
grep -q 'contact: Kim <k@x.kr>; Lee <l@x.kr> 010-123' said || { cat said; fail 'the dry run does not show contacts'; }
expect 0 '2 added, 0 changed, 0 unchanged' tenant import t.csv
unchanged 0 '0 added, 0 changed, 2 unchanged' tenant import t.csv
printf 'name,attr:seat\n둘,moving\n=cmd|1,gwangju\n' >t2.csv
unchanged 0 'attr:seat: - -> moving' tenant import t2.csv --dry-run
expect 0 '0 added, 1 changed, 1 unchanged' tenant import t2.csv
for format in csv json; do
    "$ALLOT" tenant export --format $format >one.$format
    unchanged 0 '0 added, 0 changed, 3 unchanged' tenant import one.$format
    "$ALLOT" init --store $format.db >/dev/null
    "$ALLOT" --store $format.db tenant import - <one.$format >/dev/null
    "$ALLOT" --store $format.db tenant export --format $format >two.$format
    cmp one.$format two.$format || fail "$format does not come back as it was"
done

bad() { # PATTERN FORMAT: a file with a good row first, then this; nothing of it may stay
    printf "name,organisation,registration\nnew,New,3234567890\n%b" "$2" >bad.csv
    unchanged 2 "$1" tenant import bad.csv
}
bad 'bad.csv:3: 2 fields, the header has 3' 'a,b\n'
bad 'bad.csv:3: not UTF-8' 'a\0377,b,3234567891\n'
bad "bad.csv:3: the tenant 'new' stands in line 2" 'new,New,3234567890\n'
bad 'bad.csv:3: a quoted field is not closed' '"a,b,3234567891\n'
printf 'name,organisation,registration\nnew,New,3234567890\nnew2,Other,3234567890\n' >bad.csv
unchanged 5 "bad.csv:3: registration number 323-45-67890 belongs to 'New'" tenant import bad.csv
printf 'name,organisatoin\na,b\n' >bad.csv
unchanged 2 "did you mean 'organisation'" tenant import bad.csv
printf '[{"name": "a", "organisation": "A", "registration": "3234567890", "contacts": [{"email": "x"}]}]' >bad.json
unchanged 2 'contacts\[0\]' tenant import bad.json
unchanged 4 'nowhere' tenant import nowhere.csv
: >empty.csv
unchanged 2 'empty.csv' tenant import empty.csv
awk 'BEGIN { print "name,organisation,registration"; for (i = 0; i < 100000; i++) printf "n%06d,O,%010d\n", i, 1; print "n000000,O,0000000001" }' >many.csv
unchanged 2 "many.csv:100002: the tenant 'n000000' stands in line 2" tenant import many.csv

# ---- who may ----
printf 'roles:\n  admins: {users: [nobody-here]}\n  auditors: {users: [%s]}\n' "$(id -un)" >allot.conf
chmod 600 allot.conf
before=$(entries)
expect 3 'needs the role operator' tenant set "$odd" --set seat=x --config "$PWD/allot.conf"
[ "$(entries)" = $((before + 1)) ] || fail 'a refusal is not in the chain'
[ "$("$ALLOT" audit show --json | jq -r '.[-1].kind')" = access.refused ] || fail 'a refusal is not in the chain'
expect 0 "$(id -un | cut -c1-1)\|TENANT" tenant list --config "$PWD/allot.conf"
"$ALLOT" fsck >/dev/null
"$ALLOT" audit verify >/dev/null
