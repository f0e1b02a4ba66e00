#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# Many requests in one file: valid as a whole or nothing happens, planned together, answered together.
. "$ROOT/test/books.bash"

new_store
for i in 1 2 3 4 5 6 7 8; do add_tenant "t$i" "$i"; done
add_tenant far 9 elsewhere
content() { sqlite3 "$STORE" .dump | sha256sum; }
file() { allot request submit --file "$@"; }

refused() { # STATUS WORDS CONTENT
    local before
    before=$(content)
    printf '%b' "$3" >requests.csv
    exits "$1" file requests.csv
    has "$err" "$2"
    is "$before" "$(content)"
}
it 'a row with too many fields, by line' refused 2 'requests.csv:3' 'tenant,compute\nt1,15.6 TF\nt2,15.6 TF,x\n'
it 'a row with too few fields' refused 2 'requests.csv:2' 'tenant,compute,storage\nt1,15.6 TF\n'
it 'an unknown column suggests the nearest' refused 2 "storage" 'tenant,sorage\nt1,1 TB\n'
it 'a column twice' refused 2 'storage' 'tenant,storage,storage\nt1,1 TB,2 TB\n'
it 'bytes that are not UTF-8' refused 2 'requests.csv:2' 'tenant,storage,purpose\nt1,1 TB,\xff\xfe\n'
it 'a NUL byte' refused 2 'requests.csv' 'tenant,storage,purpose\nt1,1 TB,a\0b\n'
it 'an amount without a unit, by line' refused 2 'requests.csv:3' 'tenant,storage\nt1,1 TB\nt2,1\n'
it 'a count that is none' refused 2 'requests.csv:2' 'tenant,flavor,units\nt1,v100,many\n'
it 'an unknown tenant, by line, though the rows before are good' refused 4 "requests.csv:3: no tenant 'nobody'" 'tenant,storage\nt1,1 TB\nnobody,1 TB\n'
it 'an unknown flavor' refused 4 'requests.csv:2' 'tenant,flavor,units\nt1,h100,1\n'
it 'an unknown attribute' refused 2 "requests.csv:2" 'tenant,storage,attr:urgnt\nt1,1 TB,true\n'
it 'an empty file' refused 2 'requests.csv' ''
it 'a header without rows' refused 2 'requests.csv' 'tenant,storage\n'
it 'a quote that does not end' refused 2 'requests.csv' 'tenant,storage\nt1,"1 TB\n'
it 'JSON that is no array' refused 2 'array' '{"tenant": "t1"}'
it 'JSON that breaks off' refused 2 'requests.csv' '[{"tenant": "t1"'
it 'JSON with a wrong key, by its path' refused 2 '[1].storge' '[{"tenant": "t1", "storage": "1 TB"}, {"tenant": "t2", "storge": "1 TB"}]'
it 'JSON with a number for an amount' refused 2 '[0].storage' '[{"tenant": "t1", "storage": 5}]'
it 'JSON with a key twice' refused 2 'requests.csv' '[{"tenant": "t1", "storage": "1 TB", "storage": "2 TB"}]'
missing() { exits 2 file nothing.csv || exits 4 file nothing.csv || exits 1 file nothing.csv; }
it 'a file that is not there' missing
mixed() {
    exits 2 allot request submit --file requests.csv --tenant t1
    has "$err" 'exclude'
}
it '--file goes with no other option of a request' mixed

spreadsheet() { # a byte order mark, CRLF, quotes, formulas made harmless
    printf '\xef\xbb\xbftenant,storage,purpose\r\nt1,1 TB,"a, ""b"""\r\nt2,2 TB,\x27=1+1\r\n' >requests.csv
    exits 0 file requests.csv --json
    is 2 "$(value length)"
    allot request list --json >"$out"
    is 'a, "b"|=1+1' "$(value '[.[].purpose] | join("|")')"
}
it 'a file of a spreadsheet is taken: mark, CRLF, quotes' spreadsheet
outcomes() {
    printf 'tenant,flavor,units,storage\nt1,v100,8,\nfar,v100,1,\nt3,v100,8,1 TB\nt4,v100,8,\nt5,v100,4,\n' >requests.csv
    exits 3 file requests.csv --json
    is 'granted denied granted granted queued' "$(value '[.[].outcome] | join(" ")')"
    exits 3 file requests.csv --format csv
    is 6 "$(wc -l <"$out")"
    printf 'tenant,flavor,units\nt6,v100,4\nt7,t4,1\n' >requests.csv
    exits 8 file requests.csv --json
    is 'queued granted' "$(value '[.[].outcome] | join(" ")')"
    printf 'tenant,flavor,units\nt8,t4,1\n' >requests.csv
    exits 0 file requests.csv
}
it 'each row has its outcome; denied beats waiting beats done' outcomes
once() {
    printf 'tenant,storage\nt1,1 TB\nt2,1 TB\n' >requests.csv
    exits 0 allot --idempotency-key f1 request submit --file requests.csv --json
    cp "$out" first
    before=$(content)
    exits 0 allot --idempotency-key f1 request submit --file requests.csv --json
    cmp first "$out"
    is "$before" "$(content)"
    printf 'tenant,storage\nt1,1 TB\nt2,2 TB\n' >requests.csv
    exits 5 allot --idempotency-key f1 request submit --file requests.csv
    is "$before" "$(content)"
}
it 'one key for one file: the same answers again, another content is a conflict' once
standard_input() {
    printf '[{"tenant": "t1", "storage": "1 GB"}]' | allot request submit --file - --json >"$out"
    is granted "$(value '.[0].outcome')"
}
it 'a file on standard input' standard_input
dry() {
    printf 'tenant,storage\nt1,1 TB\nt2,1 TB\n' >requests.csv
    before=$(content)
    exits 0 allot --dry-run request submit --file requests.csv --json
    is 2 "$(value length)"
    is "$before" "$(content)"
}
it 'a dry run answers for each row and changes nothing' dry
fair() { # three ask for more than there is; a naive order leaves the last with nothing
    new_store
    for i in 1 2 3 4 5 6; do add_tenant "t$i" "$i"; done
    printf 'tenant,compute,minimum\nt1,124.8 TF,15.6 TF\nt2,124.8 TF,15.6 TF\nt3,124.8 TF,15.6 TF\nt4,124.8 TF,15.6 TF\nt5,124.8 TF,15.6 TF\n' >requests.csv
    exits 0 file requests.csv --json
    is 0 "$(value '[.[] | select(.grant == null)] | length')"
}
it 'a batch is planned as one: everyone who takes less gets something' fair
thousand() {
    new_store
    for i in $(seq 1000); do printf 'm%d,org m%d,300-10-%05d,gwangju\n' "$i" "$i" "$i"; done >names
    { echo 'name,organisation,registration,attr:seat' && cat names; } >tenants.csv
    exits 0 allot tenant import tenants.csv
    { echo tenant,storage && seq 1000 | sed 's/.*/m&,100 GB/'; } >requests.csv
    exits 0 file requests.csv --no-provision --json
    is 1000 "$(value 'map(select(.outcome == "granted")) | length')"
    exits 0 file requests.csv --no-provision --format tsv
    exits 0 allot reconcile
    is 2000 "$(things)"
}
it 'a thousand requests in one file, then provisioned' thousand
many() {
    before=$(content)
    { echo tenant,storage && seq 100000 | sed 's/.*/m1,1 GB/'; } >requests.csv
    SECONDS=0
    (
        ulimit -v 400000
        exits 2 file requests.csv
    )
    has "$err" 'more than 20000 requests'
    [ $SECONDS -le 3 ] || { echo "took $SECONDS s"; return 1; }
    is "$before" "$(content)"
}
it '100,000 rows are refused at once, in little memory' many
finish
