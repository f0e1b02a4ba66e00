#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2317,SC2119 # cases are called by name
# Messages to people: handed over once, kept until delivered, whatever the command does.
. "$ROOT/test/books.bash"

new_store
add_tenant a 1
allot tenant add b --organisation '광주 AI' --registration 100-10-00002 --language ko --contact 'Kim <kim@b.example> +82 62 1' --set seat=gwangju >/dev/null
open() { sqlite3 "$STORE" 'SELECT count(*) FROM outbox WHERE delivered_at IS NULL'; }
command() { printf "notify: [/bin/sh, -c, '%s']\n" "$1" >allot.conf; }

none() {
    : >allot.conf
    exits 0 allot notify
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    exits 0 allot request submit --tenant b --flavor v100 --units 1
    exits 1 allot notify
    has "$err" '4 messages wait and no notify command is configured'
    is 4 "$(open)"
}
it 'without a command messages wait, and it says so' none
fails() {
    command 'exit 3'
    exits 1 allot notify
    has "$err" 'message 1: exit status 3'
    has "$err" '4 of 4 messages were not delivered'
    is 4 "$(open)"
    exits 0 allot notify --list --json
    is 'exit status 3' "$(value '.[0].trouble')"
    is 1 "$(value '.[0].attempts')"
    exits 1 allot status --check
    cat "$out" "$err" >check
    has check notify
}
it 'a command that fails leaves them open, with the reason' fails
absent() {
    printf 'notify: [/nowhere/mailer]\n' >allot.conf
    exits 1 allot notify
    has "$err" '/nowhere/mailer: No such file'
    command 'kill -9 $$'
    exits 1 allot notify
    has "$err" 'was ended by signal 9'
    is 4 "$(open)"
}
it 'a command that is not there, or is killed' absent
some() { # only those of tenant a
    command 'grep -q \"tenant\":\"a\"'
    exits 1 allot notify
    has "$err" '2 of 4 messages were not delivered'
    is 2 "$(open)"
}
it 'one message that fails does not stop the others' some
whole() {
    command "cat >>$PWD/told"
    exits 0 allot --dry-run notify
    has "$out" '2 messages would be'
    is 2 "$(open)"
    exits 0 allot notify
    is 0 "$(open)"
    is 2 "$(wc -l <told)"
    jq -e . told >/dev/null
    is 'b ko decided r-2 kim@b.example' "$(jq -r 'select(.kind == "decided") | "\(.tenant) \(.language) \(.kind) \(.request) \(.contacts[0].email)"' told)"
    is '신청 r-2: 승인. 할당 g-2: v100 x 1 (15.6 TF), 2026-05-31까지.' "$(jq -r 'select(.kind == "decided") | .payload.ko' told)"
    is 'Request r-2: granted. Grant g-2: v100 x 1 (15.6 TF), until 2026-05-31.' "$(jq -r 'select(.kind == "decided") | .payload.en' told)"
    is 'g-2 Grant g-2 is ready. `show` over ssh says how to connect.' "$(jq -r 'select(.kind == "ready") | "\(.grant) \(.payload.en)"' told)"
    exits 0 allot notify
    is 2 "$(wc -l <told)"
    is '' "$(cat "$out" "$err")"
}
it 'each message is one line of JSON, in both languages, handed over once' whole
deaf() { # does not read its input
    exits 0 allot request submit --tenant a --storage '1 TB'
    command 'exit 0'
    exits 0 allot notify
    is 0 "$(open)"
}
it 'a command that reads nothing may still succeed' deaf
by_hand() {
    exits 0 allot request submit --tenant a --storage '1 TB' --no-provision
    n=$(sqlite3 "$STORE" 'SELECT id FROM outbox WHERE delivered_at IS NULL')
    exits 2 allot notify --delivered many
    exits 4 allot notify --delivered 9999
    before=$(sqlite3 "$STORE" .dump | sha256sum)
    exits 0 allot --dry-run notify --delivered "$n"
    is "$before" "$(sqlite3 "$STORE" .dump | sha256sum)"
    exits 0 allot --idempotency-key d1 notify --delivered "$n"
    exits 0 allot --idempotency-key d1 notify --delivered "$n"
    exits 4 allot notify --delivered "$n"
    is 0 "$(open)"
    exits 0 allot reconcile
}
it 'a person can note a message delivered, once' by_hand
alone() {
    exits 0 allot request submit --tenant a --storage '1 TB' --no-provision
    rm -f told
    n=$(open)
    command "sleep 1; cat >>$PWD/told"
    "$ALLOT" --store "$STORE" --now "$NOW" notify &
    sleep 0.3
    exits 6 allot notify
    wait
    is "$n" "$(wc -l <told)"
    exits 0 allot reconcile
}
it 'two at once do not hand a message over twice' alone
pipes() { # the command may use pipes: SIGPIPE is not ignored for it
    exits 0 allot request submit --tenant b --storage '1 TB' --no-provision
    command "(yes; echo \$? >$PWD/yes) | head -n 1 >/dev/null; cat >/dev/null"
    exits 0 allot notify
    is 0 "$(open)"
}
it 'the command gets its signals as usual' pipes
finish
